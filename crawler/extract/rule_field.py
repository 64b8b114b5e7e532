"""What value does a field have in an item? Found, matched, transformed, converted; or why it cannot stand.

A value is None where there is none: empty texts and lists are none, and so is an object in which nothing was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crawler.config.expressions import compiled_regex
from crawler.config.scraping import as_field
from crawler.extract.rule_report import FieldError
from crawler.extract.rule_source import AnyOf, Carried, Constant, UrlPart, source_of
from crawler.extract.transforms import compiled
from crawler.extract.value_types import Context, converted

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.config.scraping import FieldConfig
    from crawler.extract.rule_page import RulePage
    from crawler.extract.rule_source import Source

Errors = tuple[FieldError, ...]
_NONE: Final[Errors] = ()
_NOWHERE: Final = Context(lambda _: None)
_SHOWN_CHARS: Final = 200
_MAX_ERRORS: Final = 20


class Field:
    """One field, or one alternative, ready to be looked for.

    Args:
        given: As written, without problems.
        name: Dotted, of the whole record.
        many: Whether an alternative of a field that wants many wants many itself.
        is_alternative: Whether it is one.
    """

    __slots__ = (
        "_convert",
        "_default",
        "_is_raw",
        "_many",
        "_regex",
        "_required",
        "_source",
        "_steps",
        "_type",
        "below",
        "name",
    )

    def __init__(
        self, given: str | FieldConfig, name: str, *, many: bool = False, is_alternative: bool = False
    ) -> None:
        config = as_field(given)
        self.name = name
        self._many = config.many or many
        #: its alternatives, or the fields of its object, by name
        self.below: dict[str, Field] = {}
        alternatives = tuple(Field(other, name, many=self._many, is_alternative=True) for other in config.any or ())
        if config.fields is not None:
            self.below = {key: Field(other, f"{name}.{key}") for key, other in config.fields.items()}
        self._source = source_of(config, alternatives)
        self._regex: Any = compiled_regex(config.regex) if config.regex is not None else None
        self._steps = tuple(_step(step) for step in config.transform)
        self._type = config.type
        self._is_raw = is_alternative and config.type is None
        #: texts that were only taken need no conversion
        self._convert = config.type not in (None, "str") or bool(self._steps) or not _is_text(config)
        self._required = config.required
        self._default = _default(config)

    @property
    def source(self) -> Source | AnyOf | None:
        """Where it is looked for; None for an object in the same item."""
        return self._source

    @property
    def alternatives(self) -> tuple[Field, ...]:
        """Of a field that has some."""
        return self._source.alternatives if isinstance(self._source, AnyOf) else ()

    @property
    def is_found(self) -> bool:
        """Whether its value comes out of the item, so that it tells whether something is there."""
        return not isinstance(self._source, Constant | UrlPart | Carried)

    def evaluate(self, item: Any, page: RulePage) -> tuple[Any, Errors]:  # noqa: ANN401
        """Its value in `item` without regard to ``default``, and what is wrong."""
        value, errors = self._object(item, page) if self.below else self._value(item, page)
        if self._required and value is None and not errors:
            errors = (FieldError("", None, "a value"),)
        if page.trace is not None:
            page.trace.note_field(self, value, errors)
        return value, errors

    def filled(self, value: Any) -> Any:  # noqa: ANN401
        """`value`, or what stands in its place where there is none."""
        return self._default if value is None else value

    def _value(self, item: Any, page: RulePage) -> tuple[Any, Errors]:  # noqa: ANN401
        source = self._source
        if not isinstance(source, AnyOf):
            return self._made(source.find(item, page, many=self._many) if source is not None else [], page)
        value, errors = source.choose(item, page, many=self._many, made=self._made)
        if value is None and self._steps:  # of which one may give a default
            value, problems = self._made([], page)
            errors = _NONE if value is not None else errors or problems
        return value, errors

    def _made(self, found: list[Any], page: RulePage) -> tuple[Any, Errors]:
        """What is made of the raw values `found`: matched, transformed, converted."""
        many, is_alternative = self._many, bool(found) and isinstance(self._source, AnyOf)
        if self._regex is not None:
            try:
                found = [text for value in found if (text := self._matched(value))]
            except ValueError as error:
                return None, (FieldError("", shown(found[0]), _words(error)),)
        if not found and (is_alternative or not self._steps):
            return None, _NONE
        value: Any = found if many else found[0] if found else None
        for step in self._steps:
            try:
                value = step(value, page.context)
            except ValueError as error:
                return None, (FieldError("", shown(value), _words(error)),)
            except Exception as error:  # noqa: BLE001 - no text may break more than its record
                return None, (FieldError("", shown(value), f"no {type(error).__name__} in a transform"),)
        if self._convert:
            return self._converted(value, page)
        return value if value != [] else None, _NONE

    def _matched(self, value: Any) -> Any:  # noqa: ANN401
        """What the regex takes of a value, numbers as they are written; None if it does not match."""
        regex = self._regex
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("expected text for the regex")  # noqa: TRY004 - of a page, not of a program
        text = value if isinstance(value, str) else str(value)
        try:
            match = regex.search(text)
        except UnicodeEncodeError:
            match = regex.search(text.encode("utf-8", "replace").decode())
        if match is None:
            return None
        return match[1] if regex.groups else match[0]

    def _converted(self, value: Any, page: RulePage) -> tuple[Any, Errors]:  # noqa: ANN401
        """As its type wants it; of a list that is none by its type, each item."""
        type_ = self._type
        is_each = isinstance(value, list) and (self._many or type_ not in (None, "list", "object"))
        if not is_each or type_ == "list":
            try:
                return _none_if_empty(self._typed(value, page)), _NONE
            except ValueError as error:
                return None, (FieldError("", shown(value), _words(error)),)
        values: list[Any] = []
        errors: list[FieldError] = []
        for number, each in enumerate(value):
            try:
                made = _none_if_empty(self._typed(each, page))
            except ValueError as error:
                if len(errors) < _MAX_ERRORS:
                    errors.append(FieldError(f"[{number}]", shown(each), _words(error)))
                continue
            if made is not None:
                values.append(made)
        return values or None, tuple(errors)

    def _typed(self, value: Any, page: RulePage) -> Any:  # noqa: ANN401
        """As its type wants it; an alternative without one leaves that to the field, with every digit."""
        return value if self._is_raw else converted(value, self._type, page.context)

    def _object(self, item: Any, page: RulePage) -> tuple[Any, Errors]:  # noqa: ANN401
        source = self._source
        items = [item] if source is None or isinstance(source, AnyOf) else source.find(item, page, many=self._many)
        objects: list[dict[str, Any]] = []
        errors: list[FieldError] = []
        for number, each in enumerate(items):
            made, wrong, is_there = evaluate_all(self.below, each, page)
            if not is_there:
                continue
            objects.append(made)
            if wrong:
                prefix = f"[{number}]" if self._many else ""
                errors += [FieldError(f"{prefix}.{error.field}", error.value, error.expected) for error in wrong]
        del errors[_MAX_ERRORS:]
        return (objects if self._many else objects[0]) if objects else None, tuple(errors)


def evaluate_all(fields: dict[str, Field], item: Any, page: RulePage) -> tuple[dict[str, Any], list[FieldError], bool]:  # noqa: ANN401
    """The values of all fields in `item`, what is wrong with them, and whether anything was found there at all."""
    values: dict[str, Any] = {}
    wrong: list[FieldError] = []
    is_there = False
    for name, field in fields.items():
        value, errors = field.evaluate(item, page)
        if errors:
            wrong += [
                FieldError(f"{name}{error.field}", error.value, error.expected)
                for error in errors[: _MAX_ERRORS - len(wrong)]
            ]
        is_there = is_there or (field.is_found and (value is not None or any(error.value for error in errors)))
        values[name] = field.filled(value)
    return values, wrong, is_there


def shown(value: Any) -> Any:  # noqa: ANN401
    """A value for people, shortened."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value) if not isinstance(value, list | dict) else None
    if text is None:
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _is_text(config: FieldConfig) -> bool:
    """Whether what is found can be nothing but text."""
    return config.css is not None or config.url is not None or config.regex is not None


def _step(given: str | dict[str, Any]) -> Callable[[Any, Any], Any]:
    name, arguments = (given, None) if isinstance(given, str) else next(iter(given.items()))
    return compiled(name, arguments)


def _default(config: FieldConfig) -> Any:  # noqa: ANN401
    """What stands where there is no value, as the field's type has it; a URL as written, as pages differ."""
    given = config.default
    if config.type not in (None, "list", "object", "url"):
        each = [converted(one, config.type, _NOWHERE) for one in (given if isinstance(given, tuple) else (given,))]
        return each if isinstance(given, tuple) else each[0]
    return list(given) if isinstance(given, tuple) else given


def _none_if_empty(value: Any) -> Any:  # noqa: ANN401
    return None if isinstance(value, str | list | dict) and not value else value


def _words(error: ValueError) -> str:
    return str(error).removeprefix("expected ")[:500]
