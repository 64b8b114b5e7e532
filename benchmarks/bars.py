"""How are figures drawn side by side? As panels of horizontal bars, in one SVG that reads on light and on dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, LABELS, GAP, ROW, BAR, TOP = 960, 208, 26, 26, 17, 52
_PANEL_HEAD, _VALUE, _MARGIN = 50, 52, 14
STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --own: #0a62c9; --other: #9aa4af; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --quiet: #9198a1; --line: #3d444d; --own: #4c9bff; --other: #656c76; }
  }
  .paper { fill: var(--paper); } text { fill: var(--ink); font: 13px system-ui, "Segoe UI", Helvetica, sans-serif; }
  .title { font-size: 17px; font-weight: 600; } .group { font-weight: 600; } .quiet { fill: var(--quiet); }
  .own { fill: var(--own); } .other { fill: var(--other); } .best { font-weight: 700; }
  .axis { stroke: var(--line); stroke-width: 1; }
"""


@dataclass(frozen=True)
class Panel:
    """One comparison; panels of the same `group` stand side by side and have the same rows."""

    group: str
    name: str
    values: Sequence[tuple[str, float]]  #: label, and a figure over 0


def bars(title: str, panels: Sequence[Panel], columns: int, own: str = "crawler") -> str:
    """An SVG of panels, `columns` to a row, each to its own scale; rows whose label begins with `own` stand out."""
    described = " ".join(
        f"{panel.group}, {panel.name}: " + ", ".join(f"{label} {value:,.0f}" for label, value in panel.values) + "."
        for panel in panels
    )
    parts: list[str] = []
    y = TOP
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        parts += _group(row, y, columns, own)
        y += _PANEL_HEAD + len(row[0].values) * ROW + GAP
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}"
 role="img" aria-labelledby="title desc">
<title id="title">{escape(title)}</title>
<desc id="desc">{escape(described)}</desc>
<style>{STYLE}</style>
<rect class="paper" width="{WIDTH}" height="{y}" rx="8"/>
<text class="title" x="{_MARGIN}" y="30">{escape(title)}</text>
{body}
</svg>
"""


def _group(row: Sequence[Panel], y: int, columns: int, own: str) -> Iterator[str]:
    """Panels side by side, their labels once, at the left."""
    below = y + _PANEL_HEAD
    yield f'<text class="group" x="{_MARGIN}" y="{y + 30}">{escape(row[0].group)}</text>'
    for place, (label, _) in enumerate(row[0].values):
        yield f'<text x="{_MARGIN}" y="{below + place * ROW + 13}">{escape(label)}</text>'
    width = (WIDTH - LABELS - _MARGIN) / columns
    for place, panel in enumerate(row):
        yield from _panel(panel, LABELS + place * width, below, width - GAP, own)


def _panel(panel: Panel, x: float, y: int, width: float, own: str) -> Iterator[str]:
    most = max(value for _, value in panel.values)
    yield f'<text class="quiet" x="{x:.0f}" y="{y - 20}">{escape(panel.name)}</text>'
    yield f'<line class="axis" x1="{x:.0f}" x2="{x:.0f}" y1="{y - 6}" y2="{y + len(panel.values) * ROW - 3}"/>'
    for place, (label, value) in enumerate(panel.values):
        long = max(2.0, value / most * (width - _VALUE))
        top = y + place * ROW
        kind = "own" if label.startswith(own) else "other"
        weight = ' class="best"' if value == most else ""
        yield f'<rect class="{kind}" x="{x:.0f}" y="{top}" width="{long:.1f}" height="{BAR}" rx="2"/>'
        yield f'<text{weight} x="{x + long + 6:.1f}" y="{top + 13}">{value:,.0f}</text>'
