"""How are a crawl's numbers drawn? As SVG that follows the page's width and colours.

A chart's text keeps its size however wide the chart is: what has text is placed in percent of the width, what has none
is drawn in a box of its own that is stretched. Colours are classes (``c-fetched``) for the style sheet to choose. Every
number drawn stands in the page as text too, beside the chart or in a table below it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.report.markup import Html, joined, number, tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_TOP: Final = 16  # room for the highest label
_BOTTOM: Final = 20  # and for those of the axis
_WIDE: Final = 1000  # units across a stretched box
_MARK_ROOM: Final = 13  # between the labels of marks that stand close together


class Series(NamedTuple):
    """One colour of a chart: a value at every step."""

    name: str
    colour: str  #: class of the style sheet: ``c-fetched``
    values: Sequence[float]


class Label(NamedTuple):
    """A text at an axis or a mark, `place` of the width from the left (0 to 1)."""

    place: float
    text: str


def columns(
    title: str,
    description: str,
    series: Sequence[Series],
    *,
    axis: Sequence[float],
    value: Callable[[float], str],
    below: Iterable[Label] = (),
    marks: Sequence[Label] = (),
    hints: Sequence[str] = (),
    height: int = 120,
) -> Html:
    """Values in steps of equal width, those of several series upon each other.

    Args:
        title: What it is; `description` says what it shows, to those who do not see it.
        series: The lowest first, all of one length; values of at least 0.
        axis: Where lines are drawn; the last is the top.
        value: Writes one of the axis.
        below: Names of places along it.
        marks: Upright lines with a name.
        hints: What is told of each step where a pointer rests on it.
        height: Of the highest step, in pixels.
    """
    top = axis[-1]
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *(_line(at / top, value(at), height) for at in axis),
        _stretched(series, top, hints, height),
        tag("line", class_="base", x1=0, x2="100%", y1=_TOP + height, y2=_TOP + height),
        *(_below(label, _TOP + height, is_spare=place % 2 == 1) for place, label in enumerate(below)),
        *_marks(marks, height),
        class_="chart",
        role="img",
        aria_label=f"{title}. {description}",
        height=_TOP + height + _BOTTOM,
    )


def bar(parts: Sequence[tuple[str, float]], whole: float) -> Html:
    """Parts of a whole side by side, as (colour, value); for a cell that says the numbers itself."""
    shapes = []
    left = 0.0
    for colour, value in parts:
        width = _WIDE * share(value, whole)
        if value > 0:
            drawn = min(max(width, 4.0), _WIDE - left)  # a little must be seen
            shapes.append(tag("rect", class_=colour, x=left, y=0, width=drawn, height=10))
        left = min(left + width, float(_WIDE))
    return _strip("bar", shapes)


def spread(low: float, middle: float, high: float, highest: float, scale: tuple[float, float]) -> Html:
    """A median, and how far the slower half lies from it, on a logarithmic scale that many rows share.

    A thick bar from `low` (median) to `middle` (90th percentile), a thin one on to `high` (99th), a tick at `highest`.
    """
    places = [_WIDE * log_place(value, scale) for value in (low, middle, high, highest)]
    places = [min(max(place, 4.0), _WIDE - 4.0) for place in places]
    at, thick, thin, last = sorted(places)
    return _strip(
        "spread",
        [
            tag("rect", class_="s-thin", x=at, y=4, width=max(thin - at, 1.0), height=2),
            tag("rect", class_="s-thick", x=at, y=2, width=max(thick - at, 4.0), height=6),
            tag("rect", class_="s-tick", x=last - 2, y=3, width=4, height=4),
            tag("rect", class_="s-middle", x=at - 3, y=0, width=6, height=10),
        ],
    )


def share(value: float, whole: float) -> float:
    """What part one is of the other, from 0 to 1."""
    return min(max(value / whole, 0.0), 1.0) if whole > 0 else 0.0


def log_place(value: float, scale: tuple[float, float]) -> float:
    """Where a value stands between the ends of a logarithmic scale, from 0 to 1."""
    low, high = scale
    if value <= low or high <= low:
        return 0.0
    return min(math.log(value / low) / math.log(high / low), 1.0)


def gathered(values: Sequence[float], most: int) -> tuple[list[float], int]:
    """Sums of as few neighbours as leave at most `most` of them, and of how many each is."""
    size = max(1, math.ceil(len(values) / most))
    return [float(sum(values[at : at + size])) for at in range(0, len(values), size)], size


def _strip(kind: str, shapes: Iterable[Html]) -> Html:
    """A drawing in a cell, stretched to its width; it says nothing that the row does not."""
    box = f"0 0 {_WIDE} 10"
    return tag("svg", *shapes, class_=kind, viewBox=box, preserveAspectRatio="none", aria_hidden="true")


def _line(part: float, label: str, height: int) -> Html:
    y = _TOP + height * (1 - part)
    return joined(
        (
            tag("line", class_="grid", x1=0, x2="100%", y1=y, y2=y),
            tag("text", label, x=-6, y=y + 4, text_anchor="end"),
        )
    )


def _stretched(series: Sequence[Series], top: float, hints: Sequence[str], height: int) -> Html:
    """What has no text of its own."""
    step = _WIDE / max(1, *(len(one.values) for one in series))
    return tag(
        "svg",
        *_stacked(series, top, step),
        *(_hint(place * step, step, hint) for place, hint in enumerate(hints)),
        y=_TOP,
        width="100%",
        height=height,
        viewBox=f"0 0 {_WIDE} 100",
        preserveAspectRatio="none",
    )


def _stacked(series: Sequence[Series], top: float, step: float) -> Iterable[Html]:
    """A path a series: a rectangle a step, upon those of the series before."""
    heights = [0.0] * max((len(one.values) for one in series), default=0)
    gap = min(step * 0.12, 1.5)
    for one in series:
        path = []
        for place, value in enumerate(one.values):
            if value <= 0:
                continue
            high = min(100 * share(value, top), 100 - heights[place])
            if not heights[place]:
                high = max(high, 0.8)  # a little must be seen
            y = 100 - heights[place]
            path.append(
                f"M{number(place * step + gap)} {number(y)}v-{number(high)}h{number(step - gap)}v{number(high)}z"
            )
            heights[place] += high
        yield tag("path", class_=one.colour, d="".join(path))


def _hint(x: float, width: float, text: str) -> Html:
    return tag("rect", tag("title", text), class_="hint", x=x, y=0, width=width, height=100)


def _below(label: Label, y: float, *, is_spare: bool) -> Html:
    """A name at the axis; every other one may be left out where there is little room."""
    anchor = "start" if label.place < 0.04 else "end" if label.place > 0.96 else "middle"
    at = f"{number(100 * label.place)}%"
    return joined(
        (
            tag("line", class_="base", x1=at, x2=at, y1=y, y2=y + 4),
            tag("text", label.text, class_="spare" if is_spare else None, x=at, y=y + 16, text_anchor=anchor),
        )
    )


def _marks(marks: Sequence[Label], height: int) -> Iterable[Html]:
    for row, (place, text) in enumerate(marks):
        at = f"{number(100 * place)}%"
        y = _TOP + 2 + row * _MARK_ROOM
        to_left = place > 0.6
        yield tag("line", class_="mark", x1=at, x2=at, y1=y - 8, y2=_TOP + height)
        yield tag(
            "text", text, class_="mark", x=at, y=y, dx=-5 if to_left else 5, text_anchor="end" if to_left else None
        )
