"""The API described for programs, as OpenAPI 3.1 (spec.openapis.org/oas/v3.1)."""

from __future__ import annotations

from typing import Any

from ledger.export import FORMATS, TABLES
from ledger.partners import KINDS

__all__ = ["DESCRIPTION"]

_DAY = {
    "type": "string",
    "examples": ["1405/09/01", "2026-11-22"],
    "description": "A day, Persian if the year is below 1700.",
}
_LINE = {"text/plain": {"schema": {"type": "string"}}}


def _days(first: str, last: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": _DAY}
        | {"description": about}
        for name, about in (("from", first), ("to", last))
    ]


def _refused(**more: str) -> dict[str, Any]:
    said = {
        "400": "A parameter is wrong: one line names it.",
        "401": "No bearer token, or one that is nobody's.",
        "503": "The ledger cannot be read now.",
        **more,
    }
    return {
        code: {"description": about, "content": _LINE} for code, about in said.items()
    }


_AMOUNT = {"type": ["integer", "null"], "minimum": 0}

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Yarigar",
        "version": "1",
        "description": "A partner's own totals, and the books for operators.",
    },
    "components": {
        "securitySchemes": {
            "partner": {
                "type": "http",
                "scheme": "bearer",
                "description": "The key of a partner's table in the settings.",
            },
            "operator": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token made by `yarigar tokens add`.",
            },
        },
        "schemas": {
            "Total": {
                "type": "object",
                "required": ["campaign", "kind", "unit", "number", "amount"],
                "additionalProperties": False,
                "properties": {
                    "campaign": {"type": "string"},
                    "kind": {"type": "string", "enum": list(KINDS)},
                    "unit": {
                        "type": "string",
                        "description": "Of the amount; empty where nothing moved.",
                    },
                    "number": _AMOUNT
                    | {"description": "Events; null for fewer than five people."},
                    "amount": _AMOUNT
                    | {"description": "Minor units; null for fewer than five people."},
                },
            },
            "Totals": {
                "type": "object",
                "required": ["partner", "from", "to", "time_zone", "totals"],
                "additionalProperties": False,
                "properties": {
                    "partner": {"type": "string"},
                    "from": {"type": "string", "format": "date"},
                    "to": {"type": "string", "format": "date"},
                    "time_zone": {"type": "string"},
                    "totals": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/Total"},
                    },
                },
            },
        },
    },
    "paths": {
        "/api/v1/totals": {
            "get": {
                "summary": "What came over a partner's channels, and what names it",
                "security": [{"partner": []}],
                "parameters": _days(
                    "The first day; thirty days before the last by default.",
                    "The last day; yesterday by default. At most 92 days.",
                ),
                "responses": {
                    "200": {
                        "description": "The totals, nobody else's.",
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/Totals"}
                            }
                        },
                    },
                    **_refused(),
                },
            }
        },
        "/api/v1/exports/{what}.{format}": {
            "get": {
                "summary": "A table of the books as a file",
                "security": [{"operator": []}],
                "parameters": [
                    {
                        "name": name,
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "enum": known},
                    }
                    for name, known in (
                        ("what", sorted(TABLES)),
                        ("format", sorted(FORMATS)),
                    )
                ]
                + _days("The first day.", "The last day.")
                + [
                    {
                        "name": name,
                        "in": "query",
                        "required": False,
                        "schema": {"type": "string"},
                        "description": about,
                    }
                    for name, about in (
                        ("campaign", "One campaign alone."),
                        ("headers", "en or fa."),
                        ("request", "The number of a request that was agreed to."),
                    )
                ],
                "responses": {
                    "200": {
                        "description": "The file; `X-Manifest` says where its "
                        "manifest is."
                    },
                    **_refused(
                        **{
                            "403": "It needs the agreement of several operators.",
                            "404": "There is no such table or format.",
                            "501": "The format is not installed.",
                        }
                    ),
                },
            }
        },
    },
}
