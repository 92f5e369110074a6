"""What the web answers: one module for each kind of visitor.

ussd     carriers' webhooks: one request is one turn
sms      carriers' receipts, and texts that people send
exports  the books as files, for a bearer token
phone    the simulator, where it is enabled
health   whether the service is alive, and ready
"""
