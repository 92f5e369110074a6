"""What a caller hears next.

menus       the values that a menu file holds: campaigns, screens, texts
reading     a menu file into those values, or every fault in it with its line;
            `nodes` and `pieces` are what it is read from, `faults` what is wrong in it
templates   the small language of texts and conditions, worked out and never run
machine     one pure step: menus, session and answers into the next screen; `steps`
            are its values, `answers` reads what is typed at a question
screen      how a screen is worded, and how much of it a handset can show
trail       what a carrier's cumulative text says anew: a retry, an answer, a restart
sessions    where a caller stands, kept in Redis between turns
line        a connection to Redis for every thread, and one round trip a question
turn        one request of a carrier, whoever sent it; `dialects` read and write it
prover      what could go wrong in a menu file, found before anyone dials; `paths`
            walks its ways, `wording` measures its texts
transcripts whole conversations as YAML, played against the menus

Nothing here knows the ledger, and nothing but `sessions` and `line` knows Redis.
"""
