"""Which words is a text made of, and what are they as numbers? What sketches and keywords are both made from.

A word is a run of letters, digits, marks and underscores of at least two characters, after NFKC and case folding.
Scripts without spaces between words give each two characters in a row (Chinese, Japanese), or each four (Thai, Lao,
Khmer, Burmese). A *term*, which can be a keyword, is a word with a letter in it: numbers are apart. No list of stop
words: how many pages hold a word tells that (`crawler.mining.keywords`).

Texts are worked on in batches: a batch numbers its own words from 0, in the order it meets them, and everything after
that is arithmetic on arrays. What joins batches is a word's hash of 64 bits: that two of ten million words share one
has odds of 3 in a million.

Imports numpy, which not every installation has: to be imported where it is needed.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category, normalize

import numpy as np
from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MAX_CHARS = 1_000_000
"""What follows in a text does not count: some 160,000 words."""
MAX_TERM_CHARS = 64
"""Longer words are no terms: they are encoded data, or addresses."""

_ASCII_WORD = re.compile(r"\w\w+", re.ASCII)
_WORD = re.compile(r"\w\w+")
#: what is written without spaces; by how many characters in a row stand for a word
_PAIRED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_FOURS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_MARK, _UNSPACED = 1, 2
_OTHER = 0xFFFF
"""Stands for all characters beyond the basic plane, in a table; itself it is none."""


class Texts(NamedTuple):
    """A batch of texts as numbers."""

    #: every word of the batch, in the order first met; a word's index here is its number
    vocabulary: list[str]
    #: uint64: the hash of each word of the vocabulary
    hashes: NDArray[np.uint64]
    #: int32: the words of all texts, one text after the other
    numbers: NDArray[np.int32]
    #: int64, one more than there are texts: where in `numbers` each text begins, and the end of the last
    starts: NDArray[np.int64]


def words(text: str) -> list[str]:
    """The words of `text` in order, repeated ones too, of its first `MAX_CHARS` characters."""
    text = text[:MAX_CHARS]
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    text = normalize("NFKC", text).casefold()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    kinds = int(np.bitwise_or.reduce(_table()[np.minimum(codes, _OTHER)], initial=0))
    if not kinds:
        return _WORD.findall(text)
    found = _pattern(kinds).findall(text)
    return list(chain.from_iterable(map(_split, found))) if kinds & _UNSPACED else found


def terms(text: str) -> list[str]:
    """The terms of `text` in order, repeated ones too: those of its words that can be a keyword."""
    return [word for word in words(text) if is_term(word)]


def is_term(word: str) -> bool:
    """Can a word be a keyword? It has a letter and is not too long."""
    return len(word) <= MAX_TERM_CHARS and (word.isalpha() or any(map(str.isalpha, word)))


def number(texts: Iterable[str]) -> Texts:
    """The words of some texts as numbers.

    Args:
        texts: A batch: all their words are held, at 4 bytes each, and what they say with all that was said so far.
    """
    numbers: dict[str, int] = _Numbers()
    parts = [np.fromiter(map(numbers.__getitem__, found), np.int32, len(found)) for found in map(words, texts)]
    vocabulary = list(numbers)
    hashes = np.fromiter(map(xxh3_64_intdigest, map(str.encode, vocabulary)), np.uint64, len(vocabulary))
    starts = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=starts[1:])
    return Texts(vocabulary, hashes, np.concatenate([np.zeros(0, np.int32), *parts]), starts)


class _Numbers(dict[str, int]):
    """Word -> its number, given when first asked for."""

    def __missing__(self, word: str) -> int:
        self[word] = found = len(self)
        return found


@cache
def _marks() -> str:
    """Vowel signs, and accents that have no letter of their own: not of ``\\w``, and yet they split no word.

    Only the basic plane's are known: looking at all takes 0.2 s.
    """
    known = re.compile(f"[{_PAIRED}{_FOURS}]").match
    return "".join(
        sign for sign in map(chr, range(0x300, _OTHER)) if category(sign) in {"Mn", "Mc"} and not known(sign)
    )


@cache
def _table() -> NDArray[np.uint8]:
    """Of each character of the basic plane, what it takes to find the words of a text that has it."""
    found = np.zeros(_OTHER + 1, np.uint8)
    found[[ord(mark) for mark in _marks()]] = _MARK
    for span in re.findall(".-.", _PAIRED + _FOURS):
        found[min(ord(span[0]), _OTHER) : ord(span[2]) + 1] = _UNSPACED
    return found


@cache
def _pattern(kinds: int) -> re.Pattern[str]:
    """What finds words in a text that has characters of some kinds."""
    letter = r"\w"
    if kinds & _UNSPACED:
        letter = f"[^\\W{_PAIRED}{_FOURS}]"
    if kinds & _MARK:
        letter = f"(?:{letter}|[{re.escape(_marks())}])"
    spans = f"|[{_PAIRED}]{{2,}}|[{_FOURS}]{{2,}}" if kinds & _UNSPACED else ""
    return re.compile(f"{letter}{{2,}}{spans}")


_paired = re.compile(f"[{_PAIRED}]").match
_fours = re.compile(f"[{_FOURS}]").match


def _split(word: str) -> Sequence[str]:
    """What stands for the words of a run of characters, which may be of a script without spaces."""
    if _paired(word):
        return list(map("".join, pairwise(word)))
    if _fours(word) and len(word) > 4:
        return list(map("".join, zip(word, word[1:], word[2:], word[3:], strict=False)))
    return (word,)
