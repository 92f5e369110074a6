"""Which campaigns the books know: those with facts, in the menus still or not."""

from __future__ import annotations

from sqlalchemy import Connection, and_, select

from ledger import schema

__all__ = ["has_facts", "rounds", "with_facts"]

_event = schema.event.c
_signup = schema.signup.c
# What was asked of us and taken out bears whatever name somebody typed.
_is_fact = and_(
    _event.campaign.is_not(None),
    _event.kind.not_like("request.%"),
    _event.kind.not_like("export.%"),
)


def has_facts(db: Connection, campaign: str) -> bool:
    """Whether anything was recorded for it; reads every event to say no."""
    query = select(_event.id).where(_is_fact, _event.campaign == campaign).limit(1)
    return db.scalar(query) is not None


def with_facts(db: Connection) -> set[str]:
    """The campaigns that anything was recorded for; reads every event."""
    return set(db.scalars(select(_event.campaign).where(_is_fact).distinct()))


def rounds(db: Connection, campaign: str) -> set[str]:
    """The rounds of a campaign that somebody signed up in, whoever left since."""
    query = select(_signup.round).where(
        _signup.campaign == campaign, _signup.round.is_not(None)
    )
    return set(db.scalars(query.distinct()))
