"""How does what stands within a line become Markdown? Text escaped so that it reads back as text, and its markup.

CommonMark 0.31, sections 2.4 and 6, and strikethrough of GFM. Emphasis that its rules would not recognise, as between
a letter and a bracket, is left out: its text counts more. White space moves out of what it begins or ends.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from crawler.extract.text import visible

Kind = Literal["em", "strong", "strike", "link"]

# What would be read as markup: a backslash before punctuation, code, emphasis but for snake_case, the end of a link's
# text, tags, character references, strikethrough. Where a piece ends, what follows is not known.
_SPECIAL_BUT_BRACKETS: Final = (
    r"\\(?=[!-/:-@\[-`{-~]|$)|[`*]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?]|$)"
    r"|&(?=[A-Za-z][A-Za-z0-9]{1,31};|#|$)|~(?=~|$)|(?<=~)~"
)
_SPECIAL: Final = re.compile(rf"{_SPECIAL_BUT_BRACKETS}|\](?=[(\[:]|$)")
_SPECIAL_IN_LINK: Final = re.compile(rf"{_SPECIAL_BUT_BRACKETS}|[\[\]]")
_LINE_START: Final = re.compile(r"(?:#{1,6}|[-+])(?=\s|$)|>|[=:|-](?=[-=:| \t]*$)|(?P<number>\d{1,9})(?=[.)](?:\s|$))")
_TASK: Final = re.compile(r"\[(?=[ xX]\](?:\s|$))")
_TICKS: Final = re.compile(r"`+")
_IN_URL: Final = re.compile(r"[\s<>\x00-\x1f\x7f()\\]")
_BREAK: Final = "\\\n"

_SIGNS: Final = {"strong": "**", "strike": "~~", "link": "["}
_PASSES: Final = 3


class _Mark:
    """Where a kind of markup starts, or ends if `start` is set."""

    __slots__ = ("end", "is_kept", "kind", "sign", "start", "url")

    def __init__(self, kind: Kind, url: str = "", start: _Mark | None = None) -> None:
        self.kind = kind
        self.url = url
        self.start = start
        self.end: _Mark | None = None
        self.is_kept = True
        self.sign = _SIGNS.get(kind, "") if start is None or kind != "link" else f"]({destination(url)})"


class Inline:
    """A line of Markdown as it grows: texts and markup in document order."""

    __slots__ = ("_active", "_breaks", "_code", "_is_spaced", "_opened", "_pieces", "chars")

    def __init__(self) -> None:
        self._pieces: list[str | _Mark] = []
        #: what is open around, outermost first: at most one of a kind
        self._active: list[tuple[Kind, str]] = []
        #: the marks of the first of these, as far as something stands within them
        self._opened: list[_Mark] = []
        self._is_spaced = False
        self._breaks = 0
        #: what the last code span holds
        self._code = ""
        #: about how long it is by now
        self.chars = 0

    def start(self, kind: Kind, url: str = "") -> bool:
        """Begin markup; false if it is within its like, and so means nothing."""
        if any(kind == active for active, _ in self._active):
            return False
        self._active.append((kind, url))
        return True

    def end(self) -> None:
        """End what was begun last."""
        self._active.pop()
        if len(self._opened) > len(self._active):
            self._close()

    def text(self, raw: str) -> None:
        """Add text as it stands in HTML."""
        raw = visible(raw)
        words = " ".join(raw.split())
        if not words:
            self._is_spaced = self._is_spaced or bool(raw)
            return
        self._is_spaced = self._is_spaced or raw[0].isspace()
        is_in_link = any(kind == "link" for kind, _ in self._active)
        words = (_SPECIAL_IN_LINK if is_in_link else _SPECIAL).sub(r"\\\g<0>", words)
        self._put(words)
        self._is_spaced = raw[-1].isspace()

    def space(self) -> None:
        """Add white space, if something stands on both sides of it."""
        self._is_spaced = True

    def line_break(self) -> int:
        """Add a hard line break; how many follow one another by now."""
        self._breaks += 1
        return self._breaks

    def code(self, raw: str) -> None:
        """Add a code span."""
        code = " ".join(raw.split())
        if code:
            if self._follows_code():  # whose backticks would be one run with its own
                self._pieces.pop()
                code = self._code + code
            self._code = code
            ticks = "`" * (max((len(run) for run in _TICKS.findall(code)), default=0) + 1)
            pad = " " if code[0] == "`" or code[-1] == "`" else ""
            self._put(f"{ticks}{pad}{code}{pad}{ticks}")

    def image(self, alt: str, url: str) -> None:
        """Add an image."""
        alt = _SPECIAL_IN_LINK.sub(r"\\\g<0>", " ".join(visible(alt).split()))
        self._put(f"![{alt}]({destination(url)})")

    def take(self) -> str:
        """All of it, and what is open stays so for the next; lines are parted by hard breaks alone."""
        while self._opened:
            self._close()
        text = _joined(self._pieces)
        self._pieces = []
        self._is_spaced = False
        self._breaks = self.chars = 0
        return text

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self._pieces

    def _follows_code(self) -> bool:
        last = self._pieces[-1] if self._pieces else ""
        is_apart = self._breaks or self._is_spaced or len(self._opened) < len(self._active)
        return isinstance(last, str) and last[-1:] == "`" and last[-2:] != "\\`" and not is_apart

    def _put(self, piece: str) -> None:
        if self._pieces:
            if self._breaks:
                self._pieces.append(_BREAK)
            elif self._is_spaced:
                self._pieces.append(" ")
        self._breaks = 0
        self._is_spaced = False
        for kind, url in self._active[len(self._opened) :]:
            last = self._pieces[-1] if self._pieces else None
            if isinstance(last, _Mark) and last.start and last.kind == kind != "link":
                self._pieces.pop()  # it goes on, as in <b>a</b><b>b</b>
                mark = last.start
            else:
                mark = _Mark(kind, url)
                self._pieces.append(mark)
            self._opened.append(mark)
            self.chars += len(url) + 4
        self._pieces.append(piece)
        self.chars += len(piece) + 1

    def _close(self) -> None:
        start = self._opened.pop()
        start.end = _Mark(start.kind, start.url, start)
        self._pieces.append(start.end)


def destination(url: str) -> str:
    """`url` as it may stand in the parentheses of a link."""
    return _IN_URL.sub(_escaped_in_url, url)


def paragraph(text: str, *, may_be_task: bool = False) -> list[str]:
    """The lines of a paragraph, none of which begins anything else."""
    lines = text.split("\n")
    if may_be_task:
        lines[0] = _TASK.sub(r"\\[", lines[0], count=1)
    return [_line(line) for line in lines]


def one_line(text: str) -> str:
    """`text` without line breaks, as in headings and cells."""
    return text.replace(_BREAK, " ")


def _line(line: str) -> str:
    match = _LINE_START.match(line)
    if match is None:
        return line
    if number := match["number"]:
        return f"{number}\\{line[len(number) :]}"
    return f"\\{line}"


def _joined(pieces: list[str | _Mark]) -> str:
    """The text of `pieces`, emphasis that cannot be recognised left out."""
    marks = [piece for piece in pieces if isinstance(piece, _Mark) and piece.kind != "link"]
    if marks:
        for attempt in range(_PASSES):
            bad = _misplaced(pieces)
            if not bad:
                break
            for mark in bad if attempt < _PASSES - 1 else marks:
                start = mark.start or mark
                start.is_kept = False
                if start.end:
                    start.end.is_kept = False
    text = [piece if isinstance(piece, str) else piece.sign for piece in _kept(pieces)]
    for at in range(1, len(text)):
        if text[at][0] == "[" and text[at - 1][-1] == "!":
            text[at - 1] = f"{text[at - 1][:-1]}\\!"
    return "".join(text)


def _kept(pieces: list[str | _Mark]) -> list[str | _Mark]:
    return [piece for piece in pieces if isinstance(piece, str) or piece.is_kept]


def _misplaced(pieces: list[str | _Mark]) -> list[_Mark]:
    """Marks that are not where CommonMark, section 6.2, recognises them."""
    kept = _kept(pieces)
    for at, mark in enumerate(kept):
        if isinstance(mark, _Mark) and mark.kind == "em" and mark.start is None:
            mark.sign = "_" if not _is_word(_before(kept, at)) else "*"
    for at, mark in enumerate(kept):
        if isinstance(mark, _Mark) and mark.kind == "em" and mark.start is not None:
            sign = "*" if _is_word(_after(kept, at)) else mark.start.sign
            mark.sign = mark.start.sign = sign
    return [mark for at, mark in enumerate(kept) if isinstance(mark, _Mark) and _is_misplaced(kept, at, mark)]


def _is_misplaced(kept: list[str | _Mark], at: int, mark: _Mark) -> bool:
    if mark.kind == "link":
        return False
    before, after = _before(kept, at), _after(kept, at)
    inner, outer = (after, before) if mark.start is None else (before, after)
    if mark.kind == "em" and mark.sign in (before, after):
        return True  # the sign of strong emphasis, so one run of both
    return inner.isspace() or not inner or (_is_punctuation(inner) and _is_word(outer))


def _before(kept: list[str | _Mark], at: int) -> str:
    """The character before a piece."""
    return _sign(kept[at - 1])[-1:] if at else ""


def _after(kept: list[str | _Mark], at: int) -> str:
    """The character after a piece; that which is escaped rather than the backslash."""
    text = _sign(kept[at + 1]) if at + 1 < len(kept) else ""
    return text[:1]


def _sign(piece: str | _Mark) -> str:
    return piece if isinstance(piece, str) else piece.sign or "_"


def _is_word(character: str) -> bool:
    return bool(character) and not character.isspace() and not _is_punctuation(character)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _escaped_in_url(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in "()\\" else "".join(f"%{byte:02X}" for byte in character.encode())
