"""Does a value of a page mean what somebody gave as an example?

People type what they see: ``24.99`` for ``€ 24,99``, ``blue lamp`` for ``Blue  Lamp``, a whole URL for a relative
link. How a value agrees decides how well a selector of it is thought of, and what a rule has to make of the value.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final
from urllib.parse import urljoin

from crawler.extract.text import collapsed

_MAX_CHARS: Final = 1000  # of an example; a longer one is nobody's to type
_NUMBER: Final = re.compile(r"[-\N{MINUS SIGN}]?\d[\d.,'\N{RIGHT SINGLE QUOTATION MARK}\xa0\u202f\u2009 ]*")
_NO_DIGITS: Final = re.compile(r"[^\d.,]")
#: most letters and signs a price tag has beside its number: ``from USD``, ``inkl. MwSt.``
_MAX_BESIDE: Final = 16
_MAX_DIGITS: Final = 18
_MIN_CONTAINED: Final = 3
_CURRENCY: Final = re.compile(
    r"[$€£¥₹₽₩₺₴₫₱฿]|\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY|SEK|NOK|DKK|PLN|zł|kr|Kč)\b", re.I
)


class Agreement(StrEnum):
    """How a value agrees with an example, best first."""

    EQUAL = "equal"  #: but for white space
    CASE = "case"  #: but for letter case as well
    URL = "url"  #: once it is resolved against the page's base URL
    NUMBER = "number"  #: it holds one number, and that is the same
    CONTAINS = "contains"  #: among more text


class Example:
    """One example, made ready to be compared with many values.

    Args:
        given: As a person wrote it.
    """

    __slots__ = ("folded", "given", "limit", "number", "text")

    def __init__(self, given: str) -> None:
        self.given = given
        self.text = collapsed(given)[:_MAX_CHARS]
        self.folded = self.text.casefold()
        #: where it is nothing but a number or a price: ``A5`` and ``2 kg`` are texts
        self.number = None if _has_words(self.text) else number_in(self.text)
        #: the longest value that can agree, in characters; each step of comparing is linear in it
        self.limit = 3 * len(self.text) + 40

    def agreement(self, value: str, base_url: str | None = None) -> Agreement | None:
        """How `value` agrees; None if it does not.

        Args:
            value: Collapsed.
            base_url: Where the value is one of a link: what it is resolved against.
        """
        if not self.text or not value or len(value) > self.limit:
            return None
        if value == self.text:
            return Agreement.EQUAL
        folded = value.casefold()
        if folded == self.folded:
            return Agreement.CASE
        if self.number is not None:
            return Agreement.NUMBER if number_in(value) == self.number else self._contained(folded)
        if base_url is not None and "://" in self.text and _joined(base_url, value) == self.text:
            return Agreement.URL
        return self._contained(folded)

    def _contained(self, folded: str) -> Agreement | None:
        """Whether it stands in there as words of its own."""
        if len(self.folded) < _MIN_CONTAINED:
            return None
        at = folded.find(self.folded)
        if at < 0:
            return None
        before, after = folded[at - 1 : at], folded[at + len(self.folded) :][:1]
        whole = not (before.isalnum() or after.isalnum())
        return Agreement.CONTAINS if whole else None


def number_in(text: str) -> Decimal | None:
    """The one number that `text` holds; None if it holds none or several, or says much beside it.

    The last of ``.`` and ``,`` parts the decimals if it stands once and one or two digits follow it, or if the other
    one stands before it; otherwise both, like blanks and apostrophes, part thousands.
    """
    found = _NUMBER.findall(text)
    if len(found) != 1 or len(text) - len(found[0]) > _MAX_BESIDE:
        return None
    before = text[: text.index(found[0])]
    if before[-1:].isalpha() and not has_currency(before):
        return None  # A5, H2O
    written = found[0].rstrip(" .,'\xa0\u202f\u2009\N{RIGHT SINGLE QUOTATION MARK}")
    digits = _NO_DIGITS.sub("", written)
    if len(digits) > _MAX_DIGITS:
        return None
    last = max(digits.rfind("."), digits.rfind(","))
    if last >= 0:
        mark, decimals = digits[last], digits[last + 1 :]
        other = "," if mark == "." else "."
        parts_decimals = digits.count(mark) == 1 and (len(decimals) != 3 or other in digits or digits[:last] == "0")
        whole = digits[:last].replace(".", "").replace(",", "")
        digits = f"{whole}.{decimals}" if parts_decimals else whole + decimals
    try:
        number = Decimal(digits)
    except InvalidOperation:
        return None
    return -number if written[0] in "-\N{MINUS SIGN}" else number


def _has_words(text: str) -> bool:
    """Whether there are letters in it that are no currency's."""
    return any(map(str.isalpha, _CURRENCY.sub("", text)))


def has_currency(text: str) -> bool:
    """Whether `text` looks like a price."""
    return _CURRENCY.search(text) is not None


def _joined(base_url: str, value: str) -> str | None:
    try:
        return urljoin(base_url, value)
    except ValueError:  # of brackets that are no address
        return None
