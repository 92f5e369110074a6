"""One file for each carrier's format.

They import `ussd.turn`, what reads and writes beside it (`envelope`, `fields`,
`options`) and `phone` only; `mapped` has its settings read in `ussd.mapping`.
"""
