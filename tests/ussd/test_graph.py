"""The menus drawn: what stands in a picture, and that nothing can break out of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from ussd.menus import Menus
from ussd.pictures import drawing
from ussd.pictures.drawing import TooMuchToDraw, as_svg
from ussd.pictures.graph import MAIN, Graph, How, Shape, graph_of, is_right_to_left
from ussd.pictures.layering import Edge, lay_out
from ussd.pictures.mermaid import as_mermaid
from ussd.pictures.skeleton import skeleton_of
from ussd.reading import read

SHIPPED = Path(__file__).parents[2].joinpath("menus.yaml").read_text("utf-8")
SOURCE = yaml.load(SHIPPED, Loader=yaml.BaseLoader)  # noqa: S506  # texts only
MENUS = read(SHIPPED, time_zone="Asia/Tehran")
GRAPH = graph_of(MENUS, "fa")
SVG = "{http://www.w3.org/2000/svg}"


def changed(screens: dict[str, Any]) -> Menus:
    """The campaigns and notices of the shipped file, with other screens."""
    source = {name: SOURCE[name] for name in ("languages", "campaigns", "notices")}
    source |= {"start": "root", "dialled": {"*780#": "root"}, "texts": {}}
    written = yaml.dump({**source, "screens": screens}, allow_unicode=True)
    return read(written, time_zone="Asia/Tehran")


def menu(text: str = "x", **choices: str) -> dict[str, Any]:
    """A screen with keys k1, k2... that lead to the screens named."""
    made = [
        {"key": key[1:], "label": {"fa": f"به {to}", "en": f"To {to}"}, "to": to}
        for key, to in choices.items()
    ]
    return {"text": {"fa": text, "en": text}, "choices": made}


def picture(graph: Graph, flow: str = "") -> Element:
    return fromstring(as_svg(graph, flow))


def words(svg: Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


# -- the graph ------------------------------------------------------------------


def test_every_screen_is_a_box_of_one_flow():
    assert list(GRAPH.boxes) == list(MENUS.screens)
    drawn = [box.name for flow in GRAPH.flows for box in GRAPH.of_flow(flow)]
    assert sorted(drawn) == sorted(MENUS.screens)


def test_the_flow_of_the_start_comes_first():
    assert GRAPH.flows[0] == GRAPH.flow_of(MENUS.start) == MAIN
    assert {"give", "vol", "st"} <= set(GRAPH.flows)


@pytest.mark.parametrize(
    ("screen", "shape"),
    [
        ("root", Shape.MENU),
        ("give.other", Shape.QUESTION),
        ("give.purpose", Shape.LIST),
        ("give.confirm", Shape.CONFIRM),
        ("give.done", Shape.END),
    ],
)
def test_a_screen_has_the_shape_of_what_is_done_there(screen: str, shape: Shape):
    assert GRAPH.boxes[screen].shape is shape


def test_a_link_tells_its_key_its_effect_and_its_condition():
    confirm = [
        (link.label, link.do, link.to, link.when)
        for link in GRAPH.boxes["give.confirm"].links
        if link.key == "1" and link.how is How.KEY
    ]
    assert confirm == [
        ("تایید", "pledge", "give.done", "plan == ''"),
        ("تایید", "standing", "give.monthly", "plan == 'monthly'"),
        ("تایید", "instalments", "give.done", "plan == 'instalments'"),
    ]
    whens = {link.when for link in GRAPH.boxes["root.more"].links if link.key == "4"}
    assert whens == {"texts_stopped", "not texts_stopped"}


def test_every_target_of_a_screen_is_a_link():
    for screen in MENUS.screens.values():
        links = GRAPH.boxes[screen.name].links
        led = {way for link in links for way in (link.to, link.via)}
        assert set(screen.targets()) <= led


def test_words_that_the_campaign_fixes_are_filled_in_and_slots_are_named():
    assert "بیست هزار" in {link.label for link in GRAPH.boxes["give.amount"].links}
    assert "\u2066{amount}\u2069 تومان" in GRAPH.boxes["give.confirm"].text
    english = graph_of(MENUS, "en").boxes["give.bring"].text
    assert english == "{goods}: {count}\nTo: {bring_to}"


def test_the_rest_of_a_dial_code_leads_where_it_is_dialled():
    led = {link.label: link.to for link in GRAPH.boxes["door"].links}
    assert (led["5588"], led["5588*1"]) == ("root", "give.amount")


def test_a_text_is_right_to_left_by_its_letters_and_not_by_its_slots():
    assert is_right_to_left("\u2066{amount}\u2069 تومان")
    assert is_right_to_left("1 تایید")
    assert not is_right_to_left("3 English")
    assert not is_right_to_left("123")


# -- Mermaid --------------------------------------------------------------------


def test_the_whole_chart_has_every_screen_and_a_subgraph_for_each_flow():
    chart = as_mermaid(GRAPH)
    assert chart.startswith("flowchart TD\n")
    assert chart.count("subgraph ") == len(GRAPH.flows)
    for name in MENUS.screens:
        assert f'"{name}<br/>' in chart


def test_the_chart_of_a_flow_has_each_other_flow_once():
    chart = as_mermaid(GRAPH, "give")
    assert chart.count('[("main")]') == 1
    assert "vol.consent" not in chart
    assert '"give.confirm<br/>' in chart


def test_effects_are_thick_and_conditions_dotted():
    chart = as_mermaid(GRAPH)
    deeds = [line for line in chart.splitlines() if "do: pledge" in line]
    assert len(deeds) == 2
    assert all("==>" in line for line in deeds)
    stopped = [line for line in chart.splitlines() if "if texts_stopped" in line]
    assert stopped
    assert all("-.->" in line for line in stopped)


def test_a_way_back_is_a_line_in_its_node_and_no_arrow():
    chart = as_mermaid(GRAPH, "give").splitlines()
    (other,) = [line for line in chart if '"give.other<br/>' in line]
    assert "\u20670 بازگشت\u2069 → give.amount" in other
    assert sum(" --> s" in line or " -->|" in line for line in chart) < 20


def test_what_is_dialled_leads_in():
    chart = as_mermaid(GRAPH)
    assert all(code.replace("*", "#42;")[:-1] in chart for code in MENUS.dialled)


@given(st.text(min_size=1, max_size=40))
def test_no_text_breaks_out_of_a_chart(text: str):
    quoted = text.replace("{", "").replace("}", "")
    graph = graph_of(changed({"root": menu(quoted or "x", k1="root")}), "fa")
    for line in as_mermaid(graph).splitlines():
        assert line.count('"') in (0, 2)
        inside = line.split('"')[1] if '"' in line else ""
        assert re.search(r"[][{}()|<>`\\]", inside.replace("<br/>", "")) is None


# -- SVG ------------------------------------------------------------------------


@pytest.mark.parametrize("language", MENUS.languages)
@pytest.mark.parametrize("flow", ["", *GRAPH.flows])
def test_a_picture_has_every_screen_of_its_flow(flow: str, language: str):
    graph = graph_of(MENUS, language)
    said = words(picture(graph, flow))
    for box in graph.boxes.values():
        if flow in ("", box.flow):
            assert box.name in said


def test_a_picture_needs_nothing_beside_it():
    svg = as_svg(GRAPH)
    assert svg.count("http") == svg.count("http://www.w3.org/2000/svg") == 1
    for word in ("<script", "href", "@import", "<image", "foreignObject"):
        assert word not in svg


def test_persian_is_set_from_the_right_and_english_is_not():
    texts = list(picture(GRAPH).iter(f"{SVG}text"))
    by_words = {"".join(text.itertext()): text.get("direction") for text in texts}
    assert by_words["1 تایید"] == "rtl"
    # The second line of a Persian text, though it begins with a Latin slot.
    assert by_words["\u2066{purpose}\u2069"] == "rtl"
    assert by_words["give.confirm"] is None
    assert by_words["3 English"] is None


def test_every_link_is_a_tab_or_a_row_that_names_its_target():
    said = words(picture(GRAPH, "give"))
    assert "→ root" in said
    assert "→ closed" in said
    assert "do: pledge" in said


def test_a_screen_that_is_missing_is_named_as_such():
    graph = graph_of(changed({"root": menu(k1="nowhere")}), "en")
    assert "→ nowhere (missing)" in words(picture(graph))
    assert "→ nowhere #40;missing#41;" in as_mermaid(graph)


def test_more_screens_than_a_picture_holds_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing, "SCREENS_MAX", 15)
    with pytest.raises(TooMuchToDraw, match="draw one flow"):
        as_svg(GRAPH)
    assert "st.list" in as_svg(GRAPH, "st")


@given(st.text(min_size=1, max_size=60))
def test_no_text_breaks_out_of_a_picture(text: str):
    quoted = text.replace("{", "").replace("}", "")
    graph = graph_of(changed({"root": menu(quoted or "x", k1="root")}), "fa")
    assert {element.tag.removeprefix(SVG) for element in picture(graph).iter()} <= {
        *("svg", "title", "defs", "marker", "path", "rect", "g", "text"),
    }


# -- what the language knows beside keys ---------------------------------------


def roundabout() -> Graph:
    """A screen with a sub-flow, a way back, and a way out after wrong keys."""
    root = menu(k1="place", k2="back")
    root["choices"][0] |= {"via": "place", "to": "skill"}
    root["wrong"] = {"max": "3", "to": "help"}
    screens = {"root": root, "place": menu(k1="return"), "skill": menu(k0="root")}
    return graph_of(changed({**screens, "help": menu(k0="root")}), "en")


def test_a_sub_flow_is_drawn_by_its_first_screen_and_names_the_next():
    (via, back, wrong) = roundabout().boxes["root"].links
    assert (via.target, via.leads) == ("place", "→ place › skill")
    assert (back.leads, back.is_main) == ("→ back", False)
    assert (wrong.said, wrong.target) == ("3 wrong keys", "help")
    assert "then skill" in words(picture(roundabout()))
    assert "then skill" in as_mermaid(roundabout())


def test_back_and_return_are_rows_and_nothing_is_missing():
    said = words(picture(roundabout()))
    assert {"→ back", "→ return"} <= set(said)
    assert not [text for text in said if "missing" in text]


# -- lines and places -------------------------------------------------------------


def test_lines_lead_on_and_ways_back_are_none():
    lines = skeleton_of(GRAPH, "give").lines
    assert ("give.purpose", "give.confirm") in lines
    assert ("give.confirm", "give.done") in lines
    assert ("give.confirm", "give.amount") not in lines


def test_a_circle_of_screens_is_drawn_once_around():
    circle = changed({"root": menu(k1="a"), "a": menu(k1="b"), "b": menu(k1="root")})
    lines = skeleton_of(graph_of(circle, "en"), MAIN).lines
    assert lines == {("root", "a"), ("a", "b")}


@given(
    st.lists(
        st.lists(st.sampled_from(["root", "s1", "s2", "s3", "s4"]), max_size=4),
        min_size=5,
        max_size=5,
    )
)
def test_lines_never_lead_in_a_circle_and_leave_no_screen_out(ways: list[list[str]]):
    names = ["root", "s1", "s2", "s3", "s4"]
    # The first key is 0, which leads back and is a line only if nothing else is.
    screens = {
        name: menu(**{f"k{key}": to for key, to in enumerate(led)})
        for name, led in zip(names, ways, strict=True)
    }
    graph = graph_of(changed(screens), "en")
    lines = set(skeleton_of(graph, MAIN).lines)
    reached = {"root"}
    for _ in names:
        reached |= {link.to for name in reached for link in graph.boxes[name].links}
    assert reached - {"root"} <= {end for _, end in lines}
    for _ in names:
        ends = {end for _, end in lines}
        lines = {(start, end) for start, end in lines if start in ends}
    assert lines == set()


@st.composite
def ladders(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[Edge]]:
    """Boxes of any size, and lines from earlier ones to later ones."""
    count = draw(st.integers(1, 12))
    size = st.tuples(st.integers(20, 300), st.integers(20, 200))
    sizes = {str(n): draw(size) for n in range(count)}
    pairs = [(a, b) for b in range(count) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    edges = [Edge(str(a), str(b), sizes[str(a)][0] / 2) for a, b in chosen]
    return {name: (float(w), float(h)) for name, (w, h) in sizes.items()}, edges


@given(ladders())
def test_no_box_stands_on_another(ladder: Any):
    sizes, edges = ladder
    laid = lay_out(sizes, edges)
    boxes = [(*laid.places[name], *sizes[name]) for name in sizes]
    for number, (x, y, width, height) in enumerate(boxes):
        assert 0 <= x <= x + width <= laid.width + 0.01
        assert 0 <= y <= y + height <= laid.height + 0.01
        for left, top, wide, high in boxes[number + 1 :]:
            beside = x + width <= left + 0.01 or left + wide <= x + 0.01
            assert beside or y + height <= top or top + high <= y


@given(ladders())
def test_lines_run_down_and_through_no_box(ladder: Any):
    sizes, edges = ladder
    laid = lay_out(sizes, edges)
    assert set(laid.lines) == set(edges)
    for edge, points in laid.lines.items():
        heights = [y for _, y in points]
        assert heights == sorted(heights)
        # Straight parts are where boxes are; between rows there is none.
        for (x, top), (_, bottom) in zip(points[::2], points[1::2], strict=False):
            for name in set(sizes) - {edge.source, edge.target}:
                left, upper = laid.places[name]
                width, height = sizes[name]
                within = left < x < left + width
                assert not (within and upper < bottom and top < upper + height)
