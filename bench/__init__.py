"""Measure what the service promises, against real servers on this machine.

conversation  whole conversations a second, beside a bare view
bare          that view
client        the caller of both, made to cost little
export        a million pledges as files, in how much memory
texts         how receipts leave, beside bare clients, in the rooms texts_*
ledger        what the ledger takes in, seals and gives out, in the rooms ledger_*
signups       a fortnight of sign-ups, and the board, in the rooms signups_*
matching      whom to ask for what, of 300,000 volunteers for 20,000 needs
crash         kill everything in the middle, start again, compare the books
served        one `yarigar serve`, to dial, to kill and to start again
carrier       a carrier that keeps a log of what it is sent
books         what was read, the ledger and that log, side by side
running       our own commands as processes, started and ended by id
"""
