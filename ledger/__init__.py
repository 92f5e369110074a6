"""The facts: money, hours and parcels promised and given, people, texts promised.

The only package that knows the database. Functions take an open connection first
and never commit: who opened the transaction owns it. No clock is read here.

    engine      connections and transactions, and how they fail
    migrate     bring a database up to date (migrations/ holds the steps)
    schema      the tables
    prepared    statements that are compiled once
    once        inserts that leave what is already there
    vault       keyed hashes, and the encryption of what may be forgotten
    people      who called, known by a keyed hash
    events      what happened, once per key, and the transfers it owns
    accounts    where amounts come from and go to
    codes       tracking codes
    chart       the chart of accounts: every account's code
    pledges     promised gifts, cancelled or paid (pledge_queries: how they are read)
    payments    money that comes in, once for its id
    incoming    what a payment service tells, and what it was answered
    suspense    money that has no pledge or gift yet
    matching    which pledge a payment is for
    gifts       money without a pledge: at a till, or out of suspense (gift_queries:
                how they are read)
    settling    what a service paid into our bank, and what it kept
    inkind      goods that were promised and are handed in
    taking_back  refunds and charge-backs that a service tells of
    returns     what money that went back is taken from
    explaining  refunds that were told before their payment
    unclaimed   money in suspense as an operator sees it
    requests    acts that need more than one person (refunds: gifts to be paid back;
                writing_off: pledges nobody waits for; corrections: wrong payments)
    plans       gifts of each month, and those in parts (instalments: what is due when;
                dues: said once; months: the days on which all of them fall due)
    expiring    pledges whose days are over
    history     what happened to one pledge
    places/     the tree of places, from the country down to centres and booths
    awaiting    who asked to be told when a campaign opens
    signups     volunteers (signup_changes: other answers, leaving, coming back;
                forgetting_signups: what of it goes with a person)
    staff       phones that are registered for a centre, an assembly, to help others
    timebank/   hours that people give each other, and who is asked for whom
    needs       what a centre needs people for
    waves       whom to ask for it, worked out on numbers (candidates: read and
                written)
    inviting    who is asked, and what an answer comes to (invitations: the rows)
    entries     what somebody else wrote down, until its own phone agrees (entries_over:
                what came to nothing)
    booths      both of these counted by the booth they came from
    renumbering  a new number in the place of an old one
    assemblies/  benefactors, their meetings and decisions, premises
    deliveries  who asks for a delivery to their door (delivering: what comes of it)
    groups      how many said what to their own centre
    stops       who asked for no more texts
    consents    who agreed to campaign texts
    lately      how much was sent lately, to a person and in all
    audience    whom a send to many is for
    bulks       sends to many: prepared, approved, started, paused
    promising   their texts, promised a few hundred at a time
    menus       the versions of the menus, and the current one
    dials       how a carrier says a dial ended
    leases      one holder of a name at a time
    tokens      keys of the export address
    campaigns   which campaigns the books know
    outbox      texts promised, and what became of them
    claims      who is delivering which text now
    abandoned   texts that wait for somebody who does not come
    attempts    the journal of every attempt to send
    parts       the same for texts that are handed over part by part
    channels    how each channel does, shared by all processes, and why that changed
    inbox       receipts and texts that came in
    receipts    receipts matched with their texts
    strays      receipts that found no text yet
    forms       one id of a message centre in its several forms
    orphans     receipts of ids that nobody told us
    reuse       ids that a carrier gives a second time
    tracing     all that is known of one text
    dead        texts that went nowhere: seen, sent again, closed
    fragments   parts of long texts that came in
    repeats     texts that may come in again, from a centre that has no answer
    unreadable  posts that could not be read
    hearing     texts that came in, each understood once
    questions   conversations by text that wait for an answer
    enquiries   the help desk: what no keyword understands
    asking      whose turn it is to ask a carrier for news
    forgetting  what nobody needs any more, deleted in time
    erasing     a person is forgotten; what happened stays
    inventory   where anything of a person stands, table by table
    sensitive   answers that the law protects more
    rotating    another vault key in the place of the old one
    backups/    the whole database as a file, and back
    export/     the books as files
    verify      the proof that the books are whole (legible: that they can be read)
    records     the rows beside facts, held against them
    rules       what must hold of all books (money_rules: of money that came in;
                request_rules: of what people agreed to; time_rules: of hours)
    balances    what each account holds
    rollups     the same by what is sealed and the rest
    sealing/    the books sealed: one signed tree, and proofs of it
    batches     goods bought with what was given (whereabouts: where they are)
    handing_out  goods that were handed in, given out at the centre
    funds       the money of a purpose: unspent, held, and what it became
    tracing_gifts  which gift paid for which purchase (writers: waited for before)
    reporting   the transparency report (report_sums: what it is made of;
                small_cells: what is too small to be shown)
    publications  reports as they were published, and what changed since
    report      the few figures that callers hear
    tallies     events counted by place, a run of ids at a time
    board       all districts side by side
    partners    what one partner's own part comes to
"""
