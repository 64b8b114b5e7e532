"""What value does an XML document have, for JMESPath to look at?

As xmltodict has it: an element is an object of its children by name, of its attributes as ``@name``, and of its text
as ``#text``; children of the same name are a list, in their order; an element with nothing but text is that text, an
empty one is null. The whole is an object of the outermost element. Prefixes of namespaces are left out, also where
names differ by nothing else; declarations of namespaces are no attributes.

Read by expat: nothing is loaded or expanded, and a document that declares entities of its own is not read. Where it
breaks, what came before counts.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers import expat

MAX_DEPTH: Final = 100
"""Of elements within one another; what lies deeper is left out."""
MAX_ELEMENTS: Final = 1_000_000

_PIECE_BYTES: Final = 1024**2  # expat before 2.6 goes through an unfinished token again with every piece


class _FullError(Exception):
    """The document has more elements than are read."""


def xml_value(utf8: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The value of a document, None if it has none, and why it was not read to its end; None if it was.

    Args:
        utf8: UTF-8, whatever its declaration says.
    """
    reading = _Reading()
    problem = reading.read(utf8)
    return reading.value(), problem


class _Element:
    __slots__ = ("children", "name", "texts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.texts: list[str] = []
        #: what is in it by name, in order
        self.children: dict[str, Any] = {}
        for key, value in attributes.items():
            if key != "xmlns" and not key.startswith("xmlns:"):
                self.children.setdefault(f"@{_local(key)}", value)

    def add(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Take in a child; a second one of its name makes a list."""
        if name not in self.children:
            self.children[name] = value
        elif isinstance(self.children[name], list):
            self.children[name].append(value)
        else:
            self.children[name] = [self.children[name], value]

    def value(self) -> Any:  # noqa: ANN401
        text = "".join(self.texts).strip()
        if not self.children:
            return text or None
        if text:
            self.children["#text"] = text
        return self.children


class _Reading:
    """One pass over a document."""

    def __init__(self) -> None:
        self._top = _Element("", {})
        self._open = [self._top]
        self._depth = 0
        self._n_elements = 0
        self._is_deep = False
        parser = self._parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.specified_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = _refuse_entity

    def read(self, utf8: bytes) -> str | None:
        """Go through it to its end, or to where it breaks; why."""
        view = memoryview(utf8)
        try:
            for at in range(0, len(utf8), _PIECE_BYTES):
                self._parser.Parse(view[at : at + _PIECE_BYTES], False)  # noqa: FBT003
            self._parser.Parse(b"", True)  # noqa: FBT003
        except expat.ExpatError as error:
            return str(error)
        except _FullError as error:
            return str(error)
        return f"elements are nested deeper than {MAX_DEPTH}" if self._is_deep else None

    def value(self) -> dict[str, Any] | None:
        """What was read; elements that are still open end here."""
        self._parser.buffer_text = False  # hands out what it holds
        while len(self._open) > 1:
            self._close()
        return self._top.children or None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._n_elements += 1
        if self._n_elements > MAX_ELEMENTS:
            raise _FullError(f"more than {MAX_ELEMENTS} elements")
        if self._depth > MAX_DEPTH:
            self._is_deep = True
            return
        self._open.append(_Element(_local(name), attributes))

    def _end(self, _: str) -> None:
        if self._depth <= MAX_DEPTH:
            self._close()
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._depth <= MAX_DEPTH:
            self._open[-1].texts.append(text)

    def _close(self) -> None:
        element = self._open.pop()
        self._open[-1].add(element.name, element.value())


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_entity(name: str, _parameter: bool, value: str | None, *_where: str | None) -> None:  # noqa: FBT001
    if value is not None:
        raise _FullError(f"it declares the entity {name[:40]!r}")
