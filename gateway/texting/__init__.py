"""Texts that people send, and the conversations they become.

texting     takes each stored text once, and answers it in one transaction
exchange    one text: what it answers or begins, and what is said back
meaning     what a text can be to the screens that wait for one; pure
replies     how a reply is promised, and how many a phone gets
desk        what an operator answers to a text that no keyword understands
"""

from gateway.texting.texting import Texting

__all__ = ["Texting"]
