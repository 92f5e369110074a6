"""Hours that people give each other, in minutes and by double entry.

standing       what somebody gave and received, what that allows, and its locks
favours        an hour offered, an hour needed
introductions  a giver and a receiver, from the question to the meeting
suggesting     who is asked for whom: near, fair, the oldest need first
hours          told by one side, confirmed by the other; disputed, void, reversed
community      hours given to everybody, and what a centre spends of them
reciprocity    what a centre's people gave and received, and how long they waited
leaving        what becomes of it when a person is erased

Locks are taken in one order: people, the introduction, favours, accounts.
"""
