"""Where people are: a tree from the country down to centres and booths.

    kinds       the levels, from the country down
    tree        the whole tree in memory: found by code, dial, postal code, name
    near        wrong digits of a dial: which centre was meant
    reading     a places file, read whole or refused with every fault
    checking    what has to be true of the places of a file together
    importing   a file held against the tables, and brought into them
    stored      the tables: read as a tree, and its version
    sums        sign-ups at every level in one query

`iran.csv` is the file that a first start brings in.
"""
