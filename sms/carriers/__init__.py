"""One carrier per file; each knows `sms.carrier`, `phone` and httpx, nothing else."""
