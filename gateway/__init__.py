"""Compose the rest into a service.

On the way of a dial:

turnstile     a carrier's turn, answered in WSGI before Flask (doors: whose turn it is)
conversation  one turn: load, say what is new, step, do, save
openings      how a conversation opens: new, lost by Redis, or another under its id
resuming      a call that broke off, offered again
stepping      the machine, stepped until it lacks nothing
effects       what a caller agreed to, done in one transaction (orders: what is to be
              done, and for whom; giving: the deeds of a donor)
timebank      hours that people give each other: deeds, facts, what falls due
facts         what a screen says of the ledger (figures: a campaign's, kept a minute)
aftermath     what a turn leaves behind: counts, and a call to go on with
endings       a carrier's word that a call is over
last_words    what is read when a call cannot go on
library       the published menus, as each process needs them
places        the same of the tree of places (placing: a file of places, brought in;
              locating: what a screen says of where somebody is)
wake          tell a worker that texts are waiting

On the way of a text:

texts         a promised text in its final words, and the carriers of the settings
rules         what the settings say of when texts may leave
bulk          sends to many: what one would be, and the outbox kept filled
texting       texts that people send, and the conversations they become
asking        asks the carriers that post nothing for their news
handsets      the texts that the simulator's phones got

On the way of money:

payments      what services and tills tell us, in the form each of them speaks
settlements   what they say they paid out, held against the books
receipts      the texts that tell a donor what became of it
approvals     acts that need more than one person (agreed: what each of them does)
sweeping      what falls due by itself (reminding: what donors are reminded of; rounds:
              what is told of a campaign's rounds to those who asked; apart:
              what fails there stops nothing else)

On the way of a good deed:

pushing       a question that we begin: a text, and the screen that its answer walks
invitations   what somebody is asked to, and answers (waves: who is asked, and when)
centres       a centre's desk by phone (queues: what each system has waiting there;
              digests: how much that is, by text each morning)
volunteering  signing up, other answers, leaving (living: where somebody lives)
entering      what a helper writes down for somebody else (paper: lists of it)
kalabarg      home delivery, asked for and said to be brought (kalabarg_queue: what of
              it waits at a centre)
groups        a sensitive question, its answer kept for one centre, and taken back
renumbering   a new number, which both phones agree to
assemblies    benefactors, offices and secretaries by phone, and what falls due for them

What answers, works and waits:

app           the Flask application
views         what is asked over HTTP beside turns (metrics: figures for Prometheus)
addresses     where a request came from, and whether it may
web           the web service as a process (wsgi: the application it finds)
worker        delivers promised texts when it is woken
smpp          USSD over one message centre
smpp_texts    texts over one message centre (smpp_inbox: what it delivers to us)
schedule      what happens by the clock
reports       the transparency report, published by two people (report_words: how it
              is said; report_files: the same as CSV and XLSX)
sealing       seals every few seconds (public_folder: what anybody may check, daily)
boards        all districts at once, counted once a minute (board_words: how the page
              says it, and what it leaves out)
checking      a donor's gift looked up and proved (check_words: how the page says it;
              tries: how often a stranger may ask)
forgetting    what nobody needs any more, deleted a little at a time
erased        who was erased, kept beside the database
exporting     who may take what out of the books (daily: yesterday's, each night)

The simulator, on its page and in a terminal:

carrier_side  a dialect's requests as HTTP, and replies as a dialect hears them
calling       one call as a carrier makes it, mishaps included
displays      what a handset's display holds
greeting      the language a phone is greeted in, and how a rehearsal chooses another
stand_ins     a test channel for every dialect
rehearsing    transcripts played for an operator

What they are built of:

settings      everything an operator can set (channels: the tables of carriers;
              kinds: what a value can be; sources: file and environment;
              misfits: what does not go together; settings_page: docs/settings.md)
keys          the secrets that the first start makes
installation  the settings of this machine, complete with keys and Redis
service       every collaborator, built once from the settings
publishing    prove a menu file and make it current (proving: what is told of a proof;
              picturing: a picture of it)
faults        why a command cannot do its work
logs          one line of JSON an event, without a number or a text
serve         start everything on one machine
supervisor    keep its processes running, and end them in order
processes     what a supervised process owes its supervisor
redis_server  the Redis of an installation that has none
doctor        what is well and what is not
cli           the `yarigar` command
"""
