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
    pledges     promised gifts, cancelled or paid
    signups     volunteers
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
    forgetting  what carriers told us, deleted in time
    export/     the books as files
    verify      the proof that the books are whole
    rules       what must hold of all books
    balances    what each account holds
    report      the figures that are shown to everyone
"""
