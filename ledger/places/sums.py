"""How many people signed up at every level of the tree, in one query."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, select

from ledger import schema

__all__ = ["signups_at"]

_signup = schema.signup.c
_above = schema.place_above.c
# Nobody who left; a person who was erased did not.
_counted = (
    select(_above.above, func.count())
    .select_from(
        schema.signup.join(schema.place_above, _above.place == _signup.place_code)
    )
    .where(
        _signup.campaign == bindparam("of_campaign"),
        _signup.test == bindparam("in_test"),
        _signup.state == "active",
    )
    .group_by(_above.above)
)


def signups_at(db: Connection, *, campaign: str, test: bool) -> Mapping[str, int]:
    """Sign-ups of a campaign by the code of every place that they lie in.

    Somebody who signed up in a centre counts there, in its district, in its town and
    in the country. Who gave no place that is known is counted nowhere.
    """
    rows = db.execute(_counted, {"of_campaign": campaign, "in_test": test})
    return {row[0]: row[1] for row in rows}
