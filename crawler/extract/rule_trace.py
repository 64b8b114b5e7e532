"""How is one page gone through by rules, step by step? Noted only where a person asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.rule_report import FieldError

_MAX_SHOWN: Final = 5


class FieldTrace:
    """How one field did so far."""

    __slots__ = ("errors", "filled", "objects", "values")

    def __init__(self) -> None:
        self.objects = 0
        self.filled = 0
        self.values: list[Any] = []
        self.errors: list[FieldError] = []


class SourceTrace:
    """How one source did so far."""

    __slots__ = ("found", "problem")

    def __init__(self) -> None:
        self.found = 0
        self.problem: str | None = None


class Trace:
    """What fields and sources of one rule did on one page, each known by its identity."""

    __slots__ = ("fields", "hrefs", "items", "sources")

    def __init__(self) -> None:
        #: that ``each`` selected
        self.items = 0
        self.hrefs: dict[int, list[str]] = {}
        self.fields: dict[int, FieldTrace] = {}
        self.sources: dict[int, SourceTrace] = {}

    def note_field(self, field: object, value: Any, errors: Sequence[FieldError]) -> None:  # noqa: ANN401
        """A field was looked for in one object."""
        trace = self.fields.setdefault(id(field), FieldTrace())
        trace.objects += 1
        if value is not None:
            trace.filled += 1
            if len(trace.values) < _MAX_SHOWN:
                trace.values.append(value)
        trace.errors.extend(errors[: _MAX_SHOWN - len(trace.errors)])

    def note_source(self, source: object, found: int, problem: str | None = None) -> None:
        """A source was looked at in one object."""
        trace = self.sources.setdefault(id(source), SourceTrace())
        trace.found += found
        trace.problem = trace.problem or problem

    def note_links(self, follow: object, hrefs: Sequence[str]) -> None:
        """An entry of ``follow`` gave these in one item."""
        self.hrefs.setdefault(id(follow), []).extend(hrefs)
