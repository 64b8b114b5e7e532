"""What number does a text hold, and what price? Separators and currencies as people write them.

``1.299`` is a thousand and more in German, hardly more than one in English. A locale that is named is taken at its
word: a text that contradicts it holds no number. Without one the text itself decides where it can (two kinds of
separators, several of one kind, not three digits after it); where it cannot, three digits after the only separator,
a price has thousands there, and a number what the page's language has.
"""

# ruff: noqa: RUF001, RUF002 - separators and words of many scripts, on purpose
from __future__ import annotations

import re
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from crawler.extract import currencies

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CHARS: Final = 10_000
"""How much of a text is looked at."""

MAX_DIGITS: Final = 60
_EXACT: Final = DecimalContext(prec=MAX_DIGITS + 20)
"""For numbers of so many digits and what lengthens them; by itself, decimal rounds to 28, or raises."""

_COMMA = """
af az be bg br bs ca cs da de el es et eu fi fo fr fy gl hr hu hy id is it ka kk kl ky lb lt lv mk nb nl nn
no pl pt rm ro ru sk sl sq sr sv tg tk tr tt uk uz vi wo
"""
_COMMA_LANGUAGES: Final = frozenset(_COMMA.split())
# Where a language does as the others; from CLDR 48.
_OTHERWISE = """
de-CH de-LI it-CH es-BR es-BZ es-CU es-DO es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-SV es-US es-419
ar-DZ ar-LB ar-LY ar-MA ar-MR ar-TN
"""
_EXCEPTIONS: Final = frozenset(_OTHERWISE.split())

_SPACES: Final = " \xa0\u202f\u2009\u2007"
_APOSTROPHES: Final = "'’\u02bc"
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?")

# One token: digits in threes between white space, or digits with other separators, or a fraction alone.
_NUMBER: Final = re.compile(
    rf"(?P<spaced>\d{{1,3}}([{_SPACES}])\d{{3}}(?:\2\d{{3}})*(?!\d)(?:[.,]\d+)?)"
    rf"|\d+(?:[.,{_APOSTROPHES}\u066b\u066c\xa0\u202f]\d+)*|(?<![\w.,])[.,]\d+"
)
_NO_SPACES: Final = re.compile(rf"\d+(?:[.,{_APOSTROPHES}\u066b\u066c]\d+)*|(?<![\w.,])[.,]\d+")
_DASHES: Final = re.compile(r"[.,:][-–—]+")
_MINUS: Final = re.compile(r"(?:^|[\s(\[:])[-−][$€£¥₹₽₩₪₫₺₴₦₱฿]?$")
_RANGE: Final = re.compile(r"-|[ \xa0]?[–—][ \xa0]?|[ \xa0](?:to|bis|à|до|do|a|tot)[ \xa0]")
#: a fraction set apart: ``119. 95``, ``24€99``
_APART: Final = re.compile(r"(?<=\d)([.,])[ \xa0](\d\d)(?![\d.,])")
_WITHIN: Final = re.compile(r"(?<=\d)([€£])(\d\d)(?![\d.,])")
_PERCENT: Final = re.compile(r"[ \xa0]?[%‰]")
_PLAIN: Final = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,3}")
_SEPARATOR: Final = re.compile(r"\D")

# How many zeros words stand for.
_SHORT_WORDS = """
3: k tsd tys тыс thousand 千
4: 万 萬 만
5: lakh lac
6: m mio mln mill million millions млн
7: crore cr
8: 億 亿 억
9: b bn mrd mld млрд billion billions
"""
_SHORT: Final = {
    word: int(zeros)
    for zeros, words in (line.split(": ") for line in _SHORT_WORDS.strip().splitlines())
    for word in words.split()
}
_SHORT_WORD: Final = re.compile(rf"[{_SPACES}]?([千万萬億亿만억¢]|[^\W\d_]+)\.?")
#: those that can mean nothing else beside a price, and cents
_IN_PRICES: Final = {word: zeros for word, zeros in _SHORT.items() if len(word) > 2 or not word.isascii()} | {"¢": -2}


class Writing(NamedTuple):
    """How numbers are written: every separator that may stand in one."""

    decimal: str
    #: each character of it may part groups of digits
    groups: str


class Price(NamedTuple):
    """An amount of money."""

    amount: Decimal
    #: ISO 4217
    currency: str | None


def writing_of(locale: str) -> Writing | None:
    """How `locale` (``de``, ``de-CH``, ``de_CH``) writes numbers; None if that is no locale."""
    if not _LOCALE.fullmatch(locale):
        return None
    decimal = "," if has_comma(locale) else "."
    return Writing(decimal, ("." if decimal == "," else ",") + _APOSTROPHES + ("" if locale[:2] == "en" else _SPACES))


def has_comma(locale: str) -> bool:
    """Whether a comma stands before decimals in `locale`."""
    language, *others = locale.replace("_", "-").split("-")
    is_exception = bool(others) and f"{language.lower()}-{others[-1].upper()}" in _EXCEPTIONS
    return (language.lower() in _COMMA_LANGUAGES) != is_exception


def number_of(
    text: str, language: str | None = None, writing: Writing | None = None, *, short: bool = False
) -> Decimal:
    """The first number in `text`.

    Args:
        text: What it stands in, words and units included.
        language: The page's, which decides where the text does not.
        writing: What alone counts.
        short: Whether ``1.2k``, ``3 Mio.`` and ``5万`` are thousands, millions and ten thousands.

    Raises:
        ValueError: What was expected.
    """
    text = text[:MAX_CHARS]
    if writing is None and _PLAIN.fullmatch(stripped := text.strip()):
        return _bounded(stripped)
    for token in _tokens(text, writing):
        amount = _value(token, text, language, writing)
        return _lengthened(amount, text, token.end(), _SHORT) if short else amount
    raise ValueError("expected a number")


def price_of(
    text: str, language: str | None = None, writing: Writing | None = None, currency: str | None = None
) -> Price:
    """The first price in `text`: the first number with a currency beside it, else the first number.

    Args:
        text: What it stands in, words included.
        language: The page's, which decides where the text does not.
        writing: As of `number_of`.
        currency: ISO 4217; which one it is where the text does not say so, or not clearly (``$``).

    Raises:
        ValueError: What was expected.
    """
    text = _WITHIN.sub(r".\2\1", _APART.sub(r"\1\2", text[:MAX_CHARS]))
    tokens = [token for token in _tokens(text, writing) if not _PERCENT.match(text, token.end())]
    if not tokens:
        raise ValueError("expected a price")
    token, name = _with_currency(text, tokens)
    code = currencies.code_of(name, language, currency) if name is not None else currency
    amount = _value(token, text, language, writing, is_price=True, currency=code)
    return Price(_lengthened(amount, text, token.end(), _IN_PRICES), code)


def _tokens(text: str, writing: Writing | None) -> list[re.Match[str]]:
    pattern = _NUMBER if writing is None or " " in writing.groups else _NO_SPACES
    return list(pattern.finditer(text))


def _with_currency(text: str, tokens: list[re.Match[str]]) -> tuple[re.Match[str], str | None]:
    """The first number beside the name of a currency, and that name; else the first one."""
    starts = {token.start(): token for token in tokens}
    ends = {token.end(): token for token in tokens}
    for token in tokens:
        if dashes := _DASHES.match(text, token.end()):
            ends[dashes.end()] = token
        elif (word := _SHORT_WORD.match(text, token.end())) and word[1].lower() in _IN_PRICES:
            ends[word.end()] = token
    for match in currencies.NAMED.finditer(text):
        name = currencies.name_in(match)
        if name is None:
            continue
        after = starts.get(match.end()) if currencies.may_stand_before(name) else None
        before = ends.get(match.start())
        if after is None and before is None:
            after = starts.get(_skip(text, match.end())) if currencies.may_stand_before(name) else None
            before = ends.get(_skip_back(text, match.start()))
        first, second = (after, before) if currencies.stands_before(name) else (before, after)
        if beside := first or second:
            return _start_of_range(text, tokens, beside), name
    return tokens[0], None


def _start_of_range(text: str, tokens: list[re.Match[str]], token: re.Match[str]) -> re.Match[str]:
    """The number that a range begins with which ends with `token`: ``10–20 €``."""
    before = next((other for other in reversed(tokens) if other.end() < token.start()), token)
    return before if _RANGE.fullmatch(text, before.end(), token.start()) else token


def _skip(text: str, at: int) -> int:
    """Where what follows white space, a colon or a sign after `at` begins; at most three characters on."""
    for _ in range(3):
        if at < len(text) and (text[at] in _SPACES or text[at] in ":-−\n\t"):
            at += 1
    return at


def _skip_back(text: str, at: int) -> int:
    for _ in range(3):
        if at and (text[at - 1] in _SPACES or text[at - 1] in "\n\t"):
            at -= 1
    return at


def _value(
    token: re.Match[str],
    text: str,
    language: str | None,
    writing: Writing | None,
    *,
    is_price: bool = False,
    currency: str | None = None,
) -> Decimal:
    """What the digits of `token` say, in which separators mean what."""
    digits = _SEPARATOR.split(token[0])
    separators = [_plain_separator(found) for found in _SEPARATOR.findall(token[0])]
    if sum(map(len, digits)) > MAX_DIGITS:
        raise ValueError(f"expected a number of at most {MAX_DIGITS} digits")
    if writing is not None:
        has_decimals = bool(separators) and separators[-1] == writing.decimal
        groups = separators[:-1] if has_decimals else separators
        if not all(group in writing.groups for group in groups):
            raise ValueError(f"expected a number as {_example(writing)}")
    else:
        thousands = _has_thousands(separators, digits, language, is_price=is_price, currency=currency)
        has_decimals = bool(separators) and not thousands and not _DASHES.match(text, token.end())
        groups = separators[:-1] if has_decimals else separators
    whole = digits[: len(groups) + 1]
    if groups and (len(set(groups)) > 1 or not _is_grouped(whole)):
        raise ValueError(f"expected a number{f' as {_example(writing)}' if writing else ''}, not {token[0][:40]!r}")
    amount = Decimal(
        "".join(whole) + (f".{digits[-1]}" if has_decimals else "") if whole != [""] else f"0.{digits[-1]}"
    )
    return -amount if _MINUS.search(text[max(0, token.start() - 4) : token.start()]) else amount


def _has_thousands(
    separators: list[str], digits: list[str], language: str | None, *, is_price: bool, currency: str | None
) -> bool:
    """Whether the last separator parts thousands, for all that can be told without a locale."""
    if not separators or separators[-1] in " '\u066c":
        return True
    last = separators[-1]
    if last == "\u066b" or separators.count(last) < len(separators):
        return separators.count(last) > 1  # as in 1,299.00; but 1.299,299,299 has none
    if len(separators) > 1:
        return not (is_price and len(digits[-1]) < 3)
    if len(digits[1]) != 3 or not 1 <= len(digits[0]) <= 3 or digits[0].startswith("0"):
        return False
    if is_price:
        return currency not in currencies.THREE_DECIMALS
    has_comma_decimals = has_comma(language) if language else False
    return (last == ",") != has_comma_decimals


def _is_grouped(digits: list[str]) -> bool:
    """Whether digits stand in threes, or as in India in twos and a three."""
    first, *others, last = digits
    if len(last) != 3 or not first:
        return False
    if all(len(group) == 3 for group in others):
        return len(first) <= 3
    return len(first) <= 2 and all(len(group) == 2 for group in others)


def _plain_separator(found: str) -> str:
    return " " if found in _SPACES else "'" if found in _APOSTROPHES else found


def _example(writing: Writing) -> str:
    return f"1{writing.groups[0]}234{writing.decimal}5" if writing.groups else f"1234{writing.decimal}5"


def _lengthened(amount: Decimal, text: str, end: int, words: Mapping[str, int]) -> Decimal:
    """`amount` times what the word after it says, if it is one of `words`."""
    word = _SHORT_WORD.match(text, end)
    zeros = words.get(word[1].lower()) if word else None
    if zeros is None:
        return amount
    longer = amount.scaleb(zeros, _EXACT)
    return longer.quantize(Decimal(1), context=_EXACT) if longer == longer.to_integral_value() else longer


def _bounded(text: str) -> Decimal:
    """A number with an exponent, if it is one that floats have too."""
    amount = Decimal(text)
    if amount and not -330 < amount.adjusted() < 309:
        raise ValueError("expected a number between -1e308 and 1e308")
    return amount
