"""What do colours stand for in the live view? Nothing is said by colour alone."""

from __future__ import annotations

from typing import Final

from rich.style import Style
from rich.text import Text

from crawler.views import HostCondition
from crawler.wording import printable

PLAIN: Final = Style()
LABEL: Final = Style(dim=True)
STRONG: Final = Style(bold=True)
DONE: Final = Style(color="green")
LEFT: Final = Style(dim=True)
KEY: Final = Style(bold=True, color="cyan")
BAD: Final = Style(color="red")
NEW: Final = Style(bold=True, color="red")
STATE: Final = Style(bold=True, reverse=True, color="yellow")

CONDITIONS: Final = {
    HostCondition.READY: Style(color="green"),
    HostCondition.FETCHING: Style(color="cyan"),
    HostCondition.LOOKING_UP: PLAIN,
    HostCondition.ADDRESS_BUSY: PLAIN,
    HostCondition.PACING: PLAIN,
    HostCondition.BACKING_OFF: Style(color="yellow"),
    HostCondition.BREAKER_OPEN: Style(color="red"),
    HostCondition.GIVEN_UP: Style(color="red"),
    HostCondition.SET_ASIDE: LABEL,
    HostCondition.IDLE: LABEL,
}


def text(*pieces: tuple[str, Style]) -> Text:
    """A line of styled pieces. Nothing in it is taken for markup, and nothing is obeyed by the terminal."""
    line = Text(no_wrap=True, end="")
    for piece, style in pieces:
        line.append(printable(piece), style)
    return line


def labelled(label: str, rest: str | Text, columns: int) -> Text:
    """A line with its label before it, if there is room for that."""
    line = text((f"{label:<{label_width(columns)}}", LABEL)) if label_width(columns) else text()
    line.append(printable(rest) if isinstance(rest, str) else rest)
    return line


def label_width(columns: int) -> int:
    """Room for labels; 0 where there is none."""
    return 10 if columns >= 70 else 0
