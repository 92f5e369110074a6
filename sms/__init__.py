"""Getting a text to a handset, and believing what comes back.

What a carrier is:

- `carrier`    what one is asked to do, and how HTTP and its failures become an outcome
- `result`     the ways it can answer to one text, whole or part by part
- `posted`     what it tells us: receipts, incoming texts
- `fields`     the fields of what it posts, in a form, a query or JSON
- `carriers`   one file per carrier, each named by an entry point
- `mapping`    what `mapped-http` is told of one by settings alone
- `smpp`       SMPP 3.4, as far as no connection is needed
- `registry`   the carriers that are installed, and how one is built from settings

On the way of a text:

- `delivery`   a run of a deliverer, and what no delivery waits for
- `turns`      its turns: write down what ended, begin what can begin, wait
- `placing`    who takes a text, in which words and in how many parts
- `routes`     the channels an operator has set up, and which one takes a text
- `condition`  how each of them does: what pace and health make of single calls
- `pace`       as fast as the carrier takes texts, and no faster
- `health`     slow and failing channels lose their texts to others, and gain them back
- `prices`     what a text costs: reckoned, and said by the carrier
- `waiting`    texts that wait for their calls, receipts first
- `choosing`   which of them leave now, with their channels' tokens taken
- `beginning`  what is held back, withdrawn, or written down as an attempt
- `rules`      what may leave now: consent, stops, quiet hours, caps, guests
- `rehearsal`  texts for guests alone, and three numbers that play a part
- `calls`      one text on its way
- `flights`    the calls that are under way
- `judging`    what a call that has ended means, for its text and its channel
- `endings`    the rules of that: what becomes of a text
- `ended`      what that comes to, written down
- `evidence`   what a carrier's receipts say of a text that got none
- `waits`      how long after each outcome a text is tried again
- `owner`      whose lease it is, and whether that process is gone

What comes back:

- `receiving`  receipts and incoming texts: store first, then believe and obey
- `asking`     when a carrier that posts nothing is asked about a text
- `keywords`   what a text that came in means, however it is spelled
- `lines`      the sender lines that people have told to be silent
"""
