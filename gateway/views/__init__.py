"""What the web answers beside turns: one module for each kind of visitor.

ussd     how a carrier's session ended, and turns that may not come in or do not say
         their length; all others are answered before Flask, in `gateway.turnstile`
sms      carriers' receipts, and texts that people send
payments what services and tills say of money that moved, signed
report   the transparency report, for everyone
check    a donor's gift in the sealed books, for whoever has its code and amount
exports  the books as files, for a bearer token
phone    the simulator, where it is enabled
carrier  what its page asks of the dialects
health   whether the service is alive, and ready
"""
