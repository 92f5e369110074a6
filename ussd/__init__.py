"""What a caller hears next.

menus       the values that a menu file holds: screens, texts; `campaign` is one of its
            campaigns
reading     a menu file into those values, or every fault in it with its line;
            `nodes`, `pieces`, `campaigns`, `entries` and `entrances` are what it is
            read from, `window_reading` and `windows` are the days a campaign is open,
            `deeds` what it can have done, `facts` what it can say of the
            ledger, `faults` what is wrong in it; `latin` is the same file for a channel
            that shows GSM-7 only
templates   the small language of texts and conditions, worked out and never run
machine     one pure step: menus, session and answers into the next screen; `steps`
            are its values, `answers` reads what is typed at a question, `moves` goes
            on, back and home, `telling` knows what the menus say to one caller
keywords    how a text that was sent begins a conversation of the machine
screen      how a screen is worded; `paging` lays out what a handset cannot show at once
trail       what a carrier's request says anew: a retry, an answer, a restart
sessions    where a caller stands, kept in Redis between turns
line        a connection to Redis for every thread, and one round trip a question
turn        one request of a carrier, whoever sent it; `fields` reads what is in it,
            `envelope` is what is around that, `options` what a channel sets. `dialects`
            read and write each format; `mapping` is one described by settings alone
schema      the words of a menu file as a JSON Schema, for editors; `schema_values` are
            the kinds of value in it

prover      what could go wrong in a menu file, found before anyone dials
pictures    the menus drawn
transcripts whole conversations as YAML, played against the menus

Nothing here knows the ledger, and nothing but `sessions` and `line` knows Redis.
"""
