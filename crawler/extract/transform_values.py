"""Which transforms read what people write: numbers, prices, dates, yes and no, URLs, JSON?

An empty text is no value, whatever is read from it: None, as if nothing had been found.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from crawler.extract import currencies
from crawler.extract.amounts import Writing, number_of, price_of, writing_of
from crawler.extract.dates import parse_date
from crawler.extract.transform_texts import as_text
from crawler.extract.url_parts import part_of, part_problem
from crawler.extract.value_types import converted, shown
from crawler.extract.words import FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crawler.extract.transform_arguments import Arguments, Step
    from crawler.extract.value_types import Context

T = TypeVar("T")

_NUMBER_ARGUMENTS: Final = ("locale", "decimal", "group", "short")
_PRICE_ARGUMENTS: Final = ("locale", "currency", "take", "decimal", "group")
_DATE_ARGUMENTS: Final = ("format", "day_first", "language", "take")
_MAX_DATE_CHARS: Final = 200


def number(arguments: Arguments) -> Step:
    """The first number in a text, as the locale writes it."""
    named = arguments.named(_NUMBER_ARGUMENTS, "locale")
    writing = _writing(named)
    short = "short" in named and named["short"].flag()

    def read(value: Any, context: Context) -> int | Decimal | None:  # noqa: ANN401
        if _is_number(value):
            return _counted(_exact(value, context))
        text = as_text(value, context)
        if not text.strip():
            return None
        return _counted(_read(lambda: number_of(text, context.language, writing, short=short), text))

    return read


def price(arguments: Arguments) -> Step:
    """The first price in a text: ``{amount, currency}``, or one of the two."""
    named = arguments.named(_PRICE_ARGUMENTS, "take")
    writing = _writing(named)
    take = named["take"].one_of(("amount", "currency", "both")) if "take" in named else "both"
    currency = named["currency"].text("currency: EUR").upper() if "currency" in named else None
    if currency is not None and currency not in currencies.CODES:
        raise arguments.wrong(f"a currency by its ISO 4217 code, as EUR, not {shown(currency)}")

    def read(value: Any, context: Context) -> Any:  # noqa: ANN401
        if _is_number(value):
            amount, code = _exact(value, context), currency
        else:
            text = as_text(value, context)
            if not text.strip():
                return None
            amount, code = _read(lambda: price_of(text, context.language, writing, currency), text)
        if take == "both":
            return {"amount": _counted(amount), "currency": code}
        return code if take == "currency" else _counted(amount)

    return read


def date(arguments: Arguments) -> Step:
    """A date in ISO 8601, with a time where the text has one."""
    named = arguments.named(_DATE_ARGUMENTS, "format")
    form = named["format"].text("date: '%d.%m.%Y'") if "format" in named else None
    day_first = named["day_first"].flag() if "day_first" in named else None
    language = named["language"].text("language: de") if "language" in named else None
    take = named["take"].one_of(("date", "all")) if "take" in named else "all"
    if form is not None and "%" not in form and form not in ("unix", "unix_ms"):
        raise arguments.wrong("a format as %d.%m.%Y, or unix or unix_ms, seconds or milliseconds since 1970")

    def read(value: Any, context: Context) -> str | None:  # noqa: ANN401
        text = as_text(value, context).strip()
        if not text:
            return None
        found = _formatted(text, form) if form else parse_date(text, language or context.language, day_first=day_first)
        if found is None:
            raise ValueError(f"expected a date{f' as {form}' if form else ''}, not {shown(text)}")
        return found[:10] if take == "date" else found

    return read


def bool_(arguments: Arguments) -> Step:
    """True or false, by the words for them in many languages or by one's own."""
    named = arguments.named(("true", "false"))
    trues = _words(named["true"].texts("{true: [in stock]}")) if "true" in named else TRUE_WORDS
    falses = _words(named["false"].texts("{false: [sold out]}")) if "false" in named else FALSE_WORDS
    if both := trues & falses:
        raise arguments.wrong(f"different words for true and false, not {shown(min(both))} for both")

    def read(value: Any, context: Context) -> bool | None:  # noqa: ANN401
        text = _word(as_text(value, context))
        if not text:
            return None
        if text in trues or text in falses:
            return text in trues
        if isinstance(value, bool):
            return value
        examples = [", ".join(sorted(words)[:4]) for words in (trues, falses)]
        raise ValueError(f"expected a word for true ({examples[0]}, …) or false ({examples[1]}, …), not {shown(text)}")

    return read


def scale(arguments: Arguments) -> Step:
    """A number times another, exactly: cents by 0.01 are euros."""
    try:
        factor = Decimal(arguments.text("scale: 0.01"))
    except ArithmeticError:
        raise arguments.wrong("a number, as scale: 0.01") from None
    if not factor.is_finite() or abs(factor.adjusted()) > 30:
        raise arguments.wrong("a number, as scale: 0.01")
    return lambda value, context: _counted(_exact(value, context) * factor)


def absolute(arguments: Arguments) -> Step:
    """The canonical URL that a reference means on its page."""
    arguments.none()

    def resolved(value: Any, context: Context) -> str | None:  # noqa: ANN401
        text = as_text(value, context).strip()
        return str(converted(text, "url", context)) if text else None

    return resolved


def url_part(arguments: Arguments) -> Step:
    """One part of a URL."""
    part = arguments.text("url_part: query.page")
    if problem := part_problem(part):
        raise ValueError(problem)
    return lambda value, context: part_of(as_text(value, context).strip(), part)


def json_(arguments: Arguments) -> Step:
    """What a text says as JSON."""
    arguments.none()

    def read(value: Any, context: Context) -> Any:  # noqa: ANN401
        text = as_text(value, context)
        if not text.strip():
            return None
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise ValueError(f"expected JSON, not {shown(text)}") from None

    return read


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which JSON has not


def _read(read: Callable[[], T], text: str) -> T:
    try:
        return read()
    except ValueError as error:
        message = str(error)
        raise ValueError(message if ", not " in message else f"{message}, not {shown(text)}") from None


def _writing(named: Mapping[str, Arguments]) -> Writing | None:
    """How numbers are written by the arguments ``locale, decimal, group``; None if they leave it open."""
    locale = named["locale"].text("locale: de") if "locale" in named else None
    writing = writing_of(locale) if locale is not None else None
    if locale is not None and writing is None:
        raise ValueError(f"expected a locale, as de or pt-BR, not {shown(locale)}")
    if "decimal" not in named and "group" not in named:
        return writing
    decimal = (
        named["decimal"].one_of((".", ",", "\u066b")) if "decimal" in named else writing.decimal if writing else "."
    )
    groups = named["group"].text("group: ','") if "group" in named else ",.".replace(decimal, "") + " '"
    if decimal in groups or len(groups) > 10 or any(character.isalnum() for character in groups):
        raise ValueError("expected separators between thousands, other than the one before decimals")
    return Writing(decimal, groups)


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _exact(value: Any, context: Context) -> Decimal:  # noqa: ANN401
    return Decimal(converted(value, "decimal", context))


def _counted(amount: Decimal) -> int | Decimal:
    """Whole numbers without decimals as such; others with all the decimals they have."""
    return int(amount) if amount.as_tuple().exponent == 0 else amount


def _formatted(text: str, form: str) -> str | None:
    if form in ("unix", "unix_ms"):
        return _since_1970(text, 1000 if form == "unix_ms" else 1)
    if len(text) > _MAX_DATE_CHARS:
        return None
    try:
        at = datetime.strptime(text, form)  # noqa: DTZ007 - as precise as the text
    except (ValueError, IndexError, KeyError):
        return None
    has_time = any(f"%{letter}" in form for letter in "HIMScXTRrs")
    return at.isoformat() if has_time else at.date().isoformat()


def _since_1970(text: str, per_second: int) -> str | None:
    try:
        at = datetime.fromtimestamp(float(text) / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.isoformat(timespec="seconds" if at.microsecond == 0 else "milliseconds").replace("+00:00", "Z")


def _words(words: list[str]) -> frozenset[str]:
    return frozenset(map(_word, words))


def _word(text: str) -> str:
    """`text` as words are compared: without regard to case, white space or the mark at its end."""
    return " ".join(text.split()).rstrip(".!").casefold()
