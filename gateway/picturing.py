"""A picture of a menu file, for `yarigar menus graph`."""

from __future__ import annotations

from pathlib import Path

from gateway.faults import Unready
from gateway.settings import Settings
from ussd.faults import BadMenus
from ussd.pictures.drawing import TooMuchToDraw, as_svg
from ussd.pictures.graph import graph_of
from ussd.pictures.mermaid import as_mermaid
from ussd.reading import read

__all__ = ["picture"]


def picture(
    settings: Settings, path: Path, form: str, flow: str, language: str | None
) -> str:
    """`path` drawn as Mermaid or SVG, one flow of it or all; raises Unready.

    It is read, not proved: a picture helps most while the menus still have faults.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as failure:
        raise Unready(f"{path}: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise Unready(f"{path}: not UTF-8 text; save it as UTF-8") from None
    try:
        menus = read(source, time_zone=settings.time_zone, name=str(path))
    except BadMenus as refused:
        raise Unready(str(refused)) from None
    spoken = language or menus.languages[0]
    if spoken not in menus.languages:
        known = ", ".join(menus.languages)
        raise Unready(f"{path}: no language {spoken!r}; there are: {known}")
    graph = graph_of(menus, spoken)
    if flow and flow not in graph.flows:
        known = ", ".join(graph.flows)
        raise Unready(f"{path}: no flow {flow!r}; there are: {known}")
    try:
        return as_svg(graph, flow) if form == "svg" else as_mermaid(graph, flow)
    except TooMuchToDraw as refused:
        raise Unready(f"{path}: {refused}") from None
