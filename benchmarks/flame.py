"""How are sampled stacks drawn? As a flame graph: a box a function, as wide as its share, callees under callers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, ROW, NARROWEST, LETTER = 1200, 17, 0.6, 6.3
_HEAD, _KEY_COLUMN = 44, 150
COLOURS = (
    *("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#edc948"),
    *("#9c755f", "#ff9da7", "#8cd17d", "#d37295", "#a0cbe8", "#ffbe7d", "#bab0ac"),
)


@dataclass
class Box:
    """A function, called from where it stands."""

    samples: float = 0.0
    stages: Counter[str] = field(default_factory=Counter)
    callees: dict[str, Box] = field(default_factory=dict)

    def add(self, stack: Sequence[str], stage: str, samples: float) -> None:
        """Count a stack, outermost function first."""
        box = self
        for name in ("", *stack):
            box = box.callees.setdefault(name, Box()) if name else box
            box.samples += samples
            box.stages[stage] += samples  # type: ignore[assignment]

    @property
    def depth(self) -> int:
        """Rows it takes."""
        return 1 + max((box.depth for box in self.callees.values()), default=0)


def flame_graph(title: str, root: Box, stages: Sequence[str], us_a_page: float) -> str:
    """An SVG, a colour a stage; `us_a_page` is what the whole width stands for."""
    colours = {stage: COLOURS[place % len(COLOURS)] for place, stage in enumerate(stages)}
    keys = -(-len(stages) // (WIDTH // _KEY_COLUMN))
    top = _HEAD + keys * ROW
    height = top + root.depth * ROW + 10
    boxes = "\n".join(_boxes(root, "all", 0.0, top, WIDTH / root.samples, us_a_page / root.samples, colours))
    key = "\n".join(_key(place, stage, colours[stage]) for place, stage in enumerate(stages))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-size="11"
 font-family="ui-monospace, Menlo, Consolas, monospace">
<title>{escape(title)}</title>
<style>text {{ fill: #111 }} .bare {{ fill: CanvasText }} svg {{ color-scheme: light dark; background: Canvas }}
rect {{ stroke: Canvas; stroke-width: 0.5 }} g:hover > rect {{ stroke: CanvasText; stroke-width: 1.5 }}</style>
<text class="bare" x="8" y="22" font-size="15">{escape(title)}</text>
{key}
{boxes}
</svg>
"""


def _key(place: int, stage: str, colour: str) -> str:
    columns = WIDTH // _KEY_COLUMN
    x, y = 8 + place % columns * _KEY_COLUMN, _HEAD - 8 + place // columns * ROW
    return (
        f'<rect x="{x}" y="{y}" width="11" height="11" fill="{colour}"/>'
        f'<text class="bare" x="{x + 16}" y="{y + 10}">{escape(stage)}</text>'
    )


def _boxes(
    box: Box, name: str, x: float, y: float, width_a_sample: float, us_a_sample: float, colours: dict[str, str]
) -> Iterator[str]:
    """A box and all below it that are wide enough to be seen."""
    width = box.samples * width_a_sample
    if width < NARROWEST:
        return
    shown = escape(name[: max(0, int((width - 6) / LETTER))])
    colour = colours[box.stages.most_common(1)[0][0]]
    told = f"{name}: {box.samples * us_a_sample:.1f} us a page, {width / WIDTH:.1%}"
    yield (
        f'<g><title>{escape(told)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" '
        f'fill="{colour}"/><text x="{x + 3:.1f}" y="{y + 12}">{shown}</text></g>'
    )
    for callee, below in sorted(box.callees.items()):
        yield from _boxes(below, callee, x, y + ROW, width_a_sample, us_a_sample, colours)
        x += below.samples * width_a_sample
