"""What benefactors, offices and secretaries do by phone, and what falls due.

deeds     what a caller agreed to: to help, to come, to say that something is done
facts     what the screens of an assembly say
roles     which districts a caller is secretary of
telling   texts about a decision or premises, one event for each person
words     what an operator's terminal says
due       meetings announced and brought up, offices asked before the day
"""
