"""The books sealed: one tree of leaves, its signed checkpoints, and proofs of both.

tree        the Merkle tree of RFC 9162, pure
tiles       its hashes in the database, 256 to a row
leaves      what a leaf says of a fact, and the rows it binds
rows        those rows as the database writes them
floor       where the frequent look for unsealed facts begins
preparing   facts into leaves, without a lock
ahead       the same in processes of their own, where much waits
sealer      leaves into the tree, batch by batch
notes       signed checkpoints and witnesses' signatures
witnesses   who signs beside us
proofs      where a fact is in the tree, and the way to its root
public      what of them everybody may see
checking    what is wrong with the seals
"""
