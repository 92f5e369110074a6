"""The application as a WSGI server finds it: `gateway.wsgi:app`."""

from __future__ import annotations

import os

from gateway import installation
from gateway.app import create_app
from gateway.logs import write_logs
from gateway.processes import die_with_supervisor
from gateway.service import build

die_with_supervisor()
write_logs()
app = create_app(build(installation.find(os.environ)))
