"""Getting a text to a handset, and believing what comes back.

Map of the package:

- `carrier`    what a carrier is asked to do, and the ways it can answer
- `fields`     the fields of what a carrier posts, in a form, a query or JSON
- `carriers`   one file per carrier, each named by an entry point
- `registry`   the carriers that are installed, and how one is built from settings
- `routes`     the channels an operator has set up, and which one takes a text
- `delivery`   promised texts to carriers: claim, call, write down the outcome
- `calls`      one text on its way
- `endings`    what becomes of a text after a call
- `waits`      how long after each outcome a text is tried again
- `owner`      whose lease it is, and whether that process is gone
- `posted`     what a carrier tells us: receipts, incoming texts
- `receiving`  receipts and incoming texts: store first, then act
- `asking`     when a carrier that posts nothing is asked about a text
- `keywords`   the words that stop and start texts, however they are spelled
- `rules`      what may leave now: consent, stops, quiet hours, caps, guests
- `rehearsal`  texts for guests alone, and three numbers that play a part
- `lines`      the sender lines that people have told to be silent
"""
