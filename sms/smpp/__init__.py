"""Texts over SMPP 3.4, as far as no connection is needed.

options   what a channel with `adapter = "smpp"` sets
carrier   the adapter: a text as the PDUs that carry it
meanings  what a centre's refusals and reports say of a text
incoming  what a centre delivers: receipts, and texts or parts of them

The connection itself is `phone.smpp`; the process that keeps it, `yarigar smpp NAME`,
is the gateway's.
"""
