"""The application as a WSGI server finds it: `gateway.wsgi:app`."""

from __future__ import annotations

import gc
import os

from gateway import installation
from gateway.app import create_app
from gateway.logs import write_logs
from gateway.processes import die_with_supervisor
from gateway.service import build, prove_keys

die_with_supervisor()
write_logs()
service = build(installation.find(os.environ))
prove_keys(service)
app = create_app(service)
# What was built until here stays for good: the collector need not walk it ever again.
gc.collect()
gc.freeze()
