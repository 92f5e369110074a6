"""Texts over SMPP 3.4, as far as no connection is needed.

options   what a channel with `adapter = "smpp"` sets
carrier   the adapter: a text as the PDUs that carry it
meanings  what a centre's refusals and reports say of a text
sending   a text handed over part by part, at the centre's pace
incoming  what a centre delivers: receipts, and texts or parts of them
receiving what was delivered, stored before it is answered

The connection itself is `phone.smpp`; the process that keeps it, `yarigar smpp NAME`,
is the gateway's.
"""
