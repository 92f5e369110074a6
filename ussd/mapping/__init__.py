"""A carrier's wire described by settings alone, for the dialect `mapped`.

configuration  what a channel sets, read into a wire with every fault
wires          a wire: where each field is, how kinds of request are told apart
moulds         a reply with places to fill, and the way back from it
bodies         trees in forms, JSON and XML, and the paths through them
counterpart    the carrier's side of the same wire
"""
