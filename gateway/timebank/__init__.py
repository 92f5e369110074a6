"""The time bank as people meet it: deeds, facts, what falls due, and the desk's acts.

deeds     what a caller agreed to, done
facts     what screens say of hours
calling_off what two are told when it came to nothing
whereabouts where somebody is, which centre that is, and what it is called
sweeping  who is asked for whom; what nobody answered in time
queue     what of it waits at a centre
agreed    what people at the desk agreed to about hours
"""
