"""One file for each carrier's format. They import `ussd.turn` and `phone` only."""
