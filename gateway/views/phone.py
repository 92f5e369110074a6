"""The simulator: a feature phone on a page."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("phone", __name__, url_prefix="/phone")
