"""The menus as a Mermaid flowchart, for a page that draws such.

Arrows are the lines of `ussd.pictures.skeleton`; every other link is a line in its node
that names where it leads.

Source: the flowchart syntax of Mermaid 11 (its page `syntax/flowchart`). Every text
stands in quotes, and whatever is no letter, figure or plain mark is written as an
entity code `#34;`, so no text of the menus can end its quotes or be read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator

from ussd.pictures.graph import Box, Graph, How, Link, Shape, is_right_to_left
from ussd.pictures.skeleton import Skeleton, end_of, skeleton_of

__all__ = ["as_mermaid"]

TEXT_CHARS_MAX = 60
_PLAIN = frozenset(" ,.:!?؟،؛-–+/=_«»→›\u200c\u200e\u2066\u2069…")
_SHAPES = {
    Shape.MENU: ("[", "]"),
    Shape.QUESTION: ("(", ")"),
    Shape.LIST: ("[[", "]]"),
    Shape.CONFIRM: ("{{", "}}"),
    Shape.END: ("([", "])"),
}
_STYLES = (
    "classDef menu fill:#eef3fb,stroke:#31588a,color:#111",
    "classDef question fill:#fdf3dc,stroke:#8a6412,color:#111",
    "classDef list fill:#e9f5ea,stroke:#2f6b3a,color:#111",
    "classDef confirm fill:#fde7e3,stroke:#a1402c,color:#111,stroke-width:2px",
    "classDef end_ fill:#ececec,stroke:#555,color:#111",
    "classDef dialled fill:#222,stroke:#222,color:#fff",
    "classDef flow fill:#fff,stroke:#555,color:#111,stroke-dasharray:4 3",
)


def as_mermaid(graph: Graph, flow: str = "") -> str:
    """A flowchart of one flow, or of everything with a subgraph for each.

    In that of one flow each other flow is a single node.
    """
    return "\n".join([*_Chart(graph, flow).lines(), ""])


class _Chart:
    def __init__(self, graph: Graph, flow: str) -> None:
        self._graph = graph
        self._alone = bool(flow)
        self._flows = (flow,) if flow else graph.flows
        self._ids = {name: f"s{n}" for n, name in enumerate(graph.boxes, start=1)}
        self._flow_ids = {name: f"f{n}" for n, name in enumerate(graph.flows, start=1)}
        # Other flows that some arrow needs a node for.
        self._beside: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        yield "flowchart TD"
        arrows = list(self._entries())
        for flow in self._flows:
            skeleton = skeleton_of(self._graph, flow)
            yield f'  subgraph {self._flow_ids[flow]}g["{_text(self._title(flow))}"]'
            for box in self._graph.of_flow(flow):
                yield f"    {self._node(box, skeleton)}"
                arrows += self._arrows(box, skeleton)
            yield "  end"
            if self._alone:
                arrows += [
                    f"{self._other(other)} --> {self._ids[to]}"
                    for other, to in skeleton.entries
                ]
        yield from (f"  {node}" for node in self._beside.values())
        yield from (f"  {arrow}" for arrow in arrows)
        yield from (f"  {style}" for style in _STYLES)

    def _title(self, flow: str) -> str:
        return " ".join(filter(None, (flow, self._graph.titles.get(flow))))

    def _node(self, box: Box, skeleton: Skeleton) -> str:
        left, right = _SHAPES[box.shape]
        words = [_escaped(box.name), _text(box.text.split("\n")[0])]
        for link in box.links:
            if not skeleton.draws(self._graph, box, link):
                missing = " (missing)" if self._graph.lacks(link) else ""
                leads = _escaped(f"{link.leads}{missing}")
                words.append(f"{_text(link.said)} {leads}")
        style = "end_" if box.shape is Shape.END else box.shape
        said = "<br/>".join(dict.fromkeys(words))
        return f'{self._ids[box.name]}{left}"{said}"{right}:::{style}'

    def _entries(self) -> Iterator[str]:
        """The codes that are dialled."""
        for number, (code, to) in enumerate(self._graph.dialled, start=1):
            if self._graph.flow_of(to) in self._flows:
                self._beside[code] = f'd{number}>"{_escaped(code)}"]:::dialled'
                yield f"d{number} --> {self._ids[to]}"

    def _arrows(self, box: Box, skeleton: Skeleton) -> Iterator[str]:
        """Links that end at one place and are gone alike are one arrow."""
        groups: dict[tuple[str, str], list[Link]] = {}
        for link in box.links:
            if skeleton.draws(self._graph, box, link):
                to = self._end_of(box, link)
                groups.setdefault((to, _arrow(link)), []).append(link)
        for (to, arrow), links in groups.items():
            words = "<br/>".join(dict.fromkeys(_label(link) for link in links))
            yield f'{self._ids[box.name]} {arrow}|"{words}"| {to}'

    def _end_of(self, box: Box, link: Link) -> str:
        """The id of the node an arrow ends at."""
        end = end_of(self._graph, box, link)
        if self._alone and end != link.target:
            return self._other(end)
        return self._ids[link.target]

    def _other(self, flow: str) -> str:
        known = self._flow_ids[flow]
        self._beside[f"flow {flow}"] = f'{known}[("{_escaped(flow)}")]:::flow'
        return known


def _arrow(link: Link) -> str:
    if link.do and link.how is How.KEY:
        return "==>"
    if link.when or not link.is_main:
        return "-.->"
    return "-->"


def _label(link: Link) -> str:
    """`1 Confirm`, what it does, and the condition it hangs on."""
    lines = [_text(link.said)]
    if link.how is How.KEY and link.do:
        lines.append(_escaped(f"do: {link.do}"))
    if link.when and link.how is not How.INSTEAD:
        lines.append(_escaped(f"if {link.when}"))
    if link.via:
        lines.append(_escaped(f"then {link.to}"))
    return "<br/>".join(lines)


def _text(words: str) -> str:
    """Words of the menus; Persian ones in an isolate, to be read from the right."""
    cut = words[:TEXT_CHARS_MAX] + "…" * (len(words) > TEXT_CHARS_MAX)
    escaped = _escaped(cut)
    return f"\u2067{escaped}\u2069" if is_right_to_left(cut) else escaped


def _escaped(words: str) -> str:
    """Letters, marks on them and figures as they are; the rest by its number."""
    return "".join(
        char if char in _PLAIN or char.isalnum() else f"#{ord(char)};"
        for char in words
        if char.isprintable() or char in _PLAIN
    )
