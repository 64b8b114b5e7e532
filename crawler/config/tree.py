"""What does a YAML text say, and where?  A tree of texts, lists and maps, each with its place.

Built from PyYAML's events rather than its objects, so that nothing is guessed or lost: scalars stay as written (YAML
1.1 would read ``no`` as false, ``12:30`` as 750, ``012`` as 10 and ``2024-01-01`` as a date; what a scalar means is
decided by `crawler.config.values`, from what its key wants), duplicate keys are seen, and an alias has its own place.

Supported: one document, anchors and aliases. Refused, by name: merge keys (``<<``), tags, keys that are not plain
scalars, and more nesting or aliases than a configuration has use for (alias bombs, deep nesting).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from crawler.config import dotted_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES: Final = 16 * 1024**2
MAX_NESTING: Final = 20
"""Levels, those below aliases included."""
MAX_ALIASES: Final = 1000
MAX_REPEATED: Final = 20_000
"""Values that aliases stand for in all. An alias may stand for what holds aliases, so that a few lines could mean
billions of values ("billion laughs"); each would be read on its own."""
_SHOWN_CHARS: Final = 200  # of a key or a value; files may be large


class Place(msgspec.Struct, frozen=True, order=True):
    """Where something is written: ``crawl.yaml:3:10``, or ``--set 1``, which has no lines."""

    name: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}" if self.line else self.name


class Mistake(msgspec.Struct, frozen=True):
    """One thing that cannot stand as it is written."""

    place: Place
    #: dotted, as in ``limits.hosts["*.example.org"].delay``; empty for the whole text
    key: str
    #: what was expected, and a suggestion if there is a likely one
    expected: str
    #: the offending value as a person wrote it; None where the key is the mistake
    value: str | None = None

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.place), _shown(self.key), _shown(self.value or ""), self.expected)))


def _shown(text: str) -> str:
    """`text` as a part of a line."""
    text = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
    return text.replace("\n", "\\n")


class Text(msgspec.Struct, frozen=True):
    """A scalar as written; `quoted` ones are never anything but text."""

    place: Place
    value: str
    quoted: bool = False


class List(msgspec.Struct, frozen=True):
    """A sequence."""

    place: Place
    items: tuple[Node, ...]


class Map(msgspec.Struct, frozen=True):
    """A mapping: key -> (place of the key, value)."""

    place: Place
    entries: dict[str, tuple[Place, Node]]


Node = Text | List | Map
NodeEvent = yaml.AliasEvent | yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent


class _RefusedError(Exception):
    """Reading cannot go on past this mistake."""


def read_tree(text: str, name: str, mistakes: list[Mistake], *, lines: bool = True) -> Node | None:
    """Read one YAML document called `name`; None if it is empty, or unreadable, when `mistakes` has grown.

    Places have lines and columns unless `lines` is false.
    """
    reader = _Reader(text, name, mistakes, lines=lines)
    try:
        return reader.document()
    except _RefusedError:
        return None


def contents(path: Path) -> bytes:
    """The bytes of a file; of one that is too long a few more than there may be.

    Raises:
        OSError: It cannot be read.
        ValueError: No file can have this name.
    """
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def decoded(data: bytes, name: str, mistakes: list[Mistake]) -> str | None:
    """The text of a file called `name`; None if it is not UTF-8 or too long, when `mistakes` has grown."""
    if len(data) > MAX_BYTES:
        mistakes.append(Mistake(Place(name), "", f"expected at most {MAX_BYTES:,} bytes"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(name, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        mistakes.append(Mistake(place, "", "expected UTF-8", f"byte 0x{data[error.start]:02x}"))
        return None


class _Reader:
    """Recursive descent over the events of one text."""

    def __init__(self, text: str, name: str, mistakes: list[Mistake], *, lines: bool) -> None:
        self._events = self._parse(text)
        self._lines = lines
        self._name = name
        self._mistakes = mistakes
        self._anchors: dict[str, Node] = {}
        #: anchor -> values there and below, and levels below
        self._sizes: dict[str, tuple[int, int]] = {}
        self._aliases = 0
        self._values = 0  # so far, and those that aliases stand for
        self._repeated = 0
        self._deepest = 0  # level reached in the value that is being read

    def document(self) -> Node | None:
        """The only document of the stream."""
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refusal(self._place(event.start_mark), "expected one YAML document, found another")
                root = self._node(next(self._events), "", 1)
        return root

    def _parse(self, text: str) -> Iterator[Any]:
        """The events of `text`; syntax errors become mistakes."""
        try:
            yield from yaml.parse(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._place(mark) if mark else Place(self._name)
            what = " ".join(part for part in (error.problem, error.context) if part)
            if _begins_with_tab(text, place.line):
                what = "a tab cannot indent YAML; use spaces"
            else:
                what += _way_out(what)
            raise self._refusal(place, f"not YAML: {what}") from None
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            place = Place(self._name, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
            raise self._refusal(place, f"not YAML: {error.reason}") from None
        except UnicodeEncodeError:
            # lone surrogates: how Python hands over arguments that are no UTF-8
            raise self._refusal(Place(self._name), "expected UTF-8") from None

    def _node(self, event: NodeEvent, key: str, depth: int) -> Node:
        place = self._place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(str(event.anchor), place, depth)
        if depth > MAX_NESTING:
            raise self._refusal(place, f"expected at most {MAX_NESTING} levels of nesting")
        if event.tag is not None:
            self._mistakes.append(Mistake(place, key, f"tags such as {event.tag} are not supported"))
        before, outer = self._values, self._deepest
        self._values += 1
        self._deepest = depth
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Text(place, event.value, quoted=bool(event.style))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = List(place, tuple(self._items(key, depth)))
        else:
            node = self._map(place, key, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
            self._sizes[event.anchor] = self._values - before, self._deepest - depth
        self._deepest = max(outer, self._deepest)
        return node

    def _items(self, key: str, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, key, depth + 1)

    def _map(self, place: Place, key: str, depth: int) -> Map:
        entries: dict[str, tuple[Place, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._node(event, key, depth + 1)
            below = dotted_key(key, name.value) if isinstance(name, Text) else key
            value = self._node(next(self._events), below, depth + 1)
            if problem := _key_problem(name, entries):
                self._mistakes.append(Mistake(name.place, below, problem))
            elif isinstance(name, Text):
                entries[name.value] = (name.place, value)
        return Map(place, entries)

    def _aliased(self, anchor: str, place: Place, depth: int) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._refusal(place, f"expected at most {MAX_ALIASES} aliases")
        if anchor not in self._anchors:
            raise self._refusal(place, f"*{anchor} has no anchor &{anchor} that ends before it")
        values, levels = self._sizes[anchor]
        if depth + levels > MAX_NESTING:
            raise self._refusal(place, f"expected at most {MAX_NESTING} levels of nesting")
        self._deepest = max(self._deepest, depth + levels)
        self._values += values
        self._repeated += values
        if self._repeated > MAX_REPEATED:
            raise self._refusal(place, f"expected aliases that stand for at most {MAX_REPEATED:,} values in all")
        return msgspec.structs.replace(self._anchors[anchor], place=place)

    def _place(self, mark: Any) -> Place:  # noqa: ANN401 - PyYAML's two mark classes have no public common type
        return Place(self._name, mark.line + 1, mark.column + 1) if self._lines else Place(self._name)

    def _refusal(self, place: Place, expected: str) -> _RefusedError:
        self._mistakes.append(Mistake(place, "", expected))
        return _RefusedError()


def _key_problem(key: Node, known: dict[str, tuple[Place, Node]]) -> str | None:
    """Why a mapping cannot have this key."""
    if not isinstance(key, Text):
        return "expected a plain key"
    if key.value == "<<" and not key.quoted:
        return "merge keys are not supported; write the keys out, or let an alias stand for the whole section"
    if key.value in known:
        return f"written twice, first at {known[key.value][0]}"
    return None


def _begins_with_tab(text: str, line: int) -> bool:
    """Whether the blanks that begin line `line` (from 1) hold a tab."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return False
    found = lines[line - 1]
    return "\t" in found[: len(found) - len(found.lstrip())]


def _way_out(problem: str) -> str:
    """What to write instead, where a syntax error is one that many people make; empty where it is another."""
    return next((f"; {do}" for part, do in _WAYS_OUT.items() if part in problem), "")


_WAYS_OUT: Final = {
    "scanning an alias": 'put what begins with * in quotes: "*/logout*"',
    "scanning an anchor": "put what begins with & in quotes",
    "cannot start any token": "put what begins with %, @ or ` in quotes",
    "mapping values are not allowed": 'a text that holds ": " goes in quotes, and a key begins its own line',
    "parsing a flow sequence": "a list in brackets has a comma between two items, and ends with ]",
    "parsing a flow mapping": "a map in braces has a comma between two keys, and ends with }",
    "unexpected end of stream while scanning a quoted scalar": "a quote is not closed",
    "parsing a quoted scalar": "in double quotes a backslash begins an escape; patterns go in single quotes",
    "scanning a double-quoted scalar": "in double quotes a backslash begins an escape; patterns go in single quotes",
    "could not find expected ':'": "expected key: value, with a space after the colon",
    "parsing a block mapping": "the keys of a section begin in the same column",
    "parsing a block collection": "the items of a list begin in the same column",
}
"""By what libyaml says, the first that fits."""
