"""Where does a field's value come from? Each source finds raw values in an item: an element, or a value of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import jmespath
from selectolax.lexbor import LexborNode

from crawler.extract.rule_take import attribute, take
from crawler.extract.url_parts import part_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.config.scraping import FieldConfig
    from crawler.extract.rule_page import RulePage
    from crawler.extract.rule_report import FieldError

    Errors = tuple[FieldError, ...]

Label = tuple[str, str, str | None]


class Source(Protocol):
    """Finds values in items of pages."""

    #: css, json, const, url or carried, and its expression as written
    label: Label

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401
        """Those that are there, at most one unless `many`; what is empty is not there."""


class Elements:
    """Elements below an item; empty: the item itself. For objects, elements are what is found."""

    def __init__(self, selector: str) -> None:
        self.label: Label = ("css", selector, None)
        self._selector = selector

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401
        """The elements themselves."""
        found: list[Any] = []
        if isinstance(item, LexborNode):
            if not self._selector:
                found = [item]
            elif many:
                found = page.select(item, self._selector)
            elif (first := page.first(item, self._selector)) is not None:
                found = [first]
        if page.trace is not None:
            page.trace.note_source(self, len(found))
        return found


class Contents:
    """What is taken of elements: text, HTML, Markdown or an attribute."""

    def __init__(self, selector: str, what: str, attr: str | None) -> None:
        self.label: Label = ("css", selector, None)
        self._elements = Elements(selector)
        self._what, self._attr = what, attr.lower() if attr else None

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401
        """What there is to take of them."""
        nodes = self._elements.find(item, page, many=many)
        if page.trace is not None:
            page.trace.note_source(self, len(nodes))
        attr = self._attr
        found = []
        for node in nodes:
            value = take(node, self._what, page) if attr is None else attribute(node, attr, page)
            if value is not None:
                found.append(value)
        return found


class Json:
    """What JMESPath gives on an item, or on what an HTML page holds besides its text."""

    def __init__(self, expression: str, within: str | None) -> None:
        self.label: Label = ("json", expression, within)
        self._compiled = jmespath.compile(expression)
        self._within = within

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401
        """What the expression gives; of a list each item if many are wanted."""
        if self._within is None:
            found, problem = self._searched(item)
        else:  # the same for all items of a page: a search for each would take time that grows with their square
            if self not in page.searched:
                page.searched[self] = self._searched(page.data(self._within))
            found, problem = page.searched[self]
        values = [] if found is None else found if many and isinstance(found, list) else [found]
        if many:
            values = page.listed([value for value in values if value is not None])
        if page.trace is not None:
            page.trace.note_source(self, len(values), problem)
        return values

    def _searched(self, base: Any) -> tuple[Any, str | None]:  # noqa: ANN401
        """What the expression gives, and why it could not be worked out."""
        if base is None or isinstance(base, LexborNode):
            return None, None
        try:
            return self._compiled.search(base), None
        except Exception as error:  # noqa: BLE001 - what functions make of wrong types is no value
            return None, f"{type(error).__name__}: {error}"[:200]


class Constant:
    """The same everywhere."""

    def __init__(self, value: Any) -> None:  # noqa: ANN401
        self.label: Label = ("const", str(value), None)
        self._value = value

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401, ARG002
        """It, whatever the page."""
        return [self._value]


class UrlPart:
    """A part of the page's URL."""

    def __init__(self, part: str) -> None:
        self.label: Label = ("url", part, None)
        self._part = part

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401, ARG002
        """The part, if the URL has it."""
        value = part_of(page.parsed.url, self._part) or None
        if page.trace is not None:
            page.trace.note_source(self, value is not None)
        return [] if value is None else [value]


class Carried:
    """What the listing handed over."""

    def __init__(self, name: str) -> None:
        self.label: Label = ("carried", name, None)
        self._name = name

    def find(self, item: Any, page: RulePage, *, many: bool) -> list[Any]:  # noqa: ANN401, ARG002
        """What came by that name, if anything did."""
        value = page.parsed.carried.get(self._name)
        if page.trace is not None:
            page.trace.note_source(self, value is not None)
        return [] if value is None else [value]


class AnyOf:
    """Alternatives, of which the first that has a value counts."""

    def __init__(self, alternatives: tuple[Any, ...]) -> None:
        self.label: Label = ("any", "", None)
        self.alternatives = alternatives

    def choose(
        self,
        item: Any,  # noqa: ANN401
        page: RulePage,
        *,
        many: bool,
        made: Callable[[list[Any], RulePage], tuple[Any, Errors]],
    ) -> tuple[Any, Errors]:
        """What the field makes of the first alternative of which it can make something; else the first errors.

        Args:
            item: Where they are looked for.
            page: Its page.
            many: Whether all values are wanted.
            made: The field's own regex, transforms and type.
        """
        wrong: Errors = ()
        for alternative in self.alternatives:
            value, errors = alternative.evaluate(item, page)
            if value is not None and not errors:
                value, errors = made(value if many and isinstance(value, list) else [value], page)
                if value is not None and not errors:
                    return value, ()
            wrong = wrong or errors
        return None, wrong


def source_of(config: FieldConfig, alternatives: tuple[Any, ...]) -> Source | AnyOf | None:
    """The source that a field has; None for an object in the same item.

    Args:
        config: The field, without problems.
        alternatives: Its own, compiled.
    """
    source: Source | AnyOf | None = None
    if config.css is not None:
        is_object = config.fields is not None
        source = Elements(config.css) if is_object else Contents(config.css, config.take, config.attr)
    elif config.json is not None:
        source = Json(config.json, config.in_)
    elif config.any is not None:
        source = AnyOf(alternatives)
    elif config.url is not None:
        source = UrlPart(config.url)
    elif config.carried is not None:
        source = Carried(config.carried)
    elif config.const is not None:
        source = Constant(config.const)
    return source
