"""Which pages say nearly the same? A 64-bit fingerprint of a text; those of near-duplicates differ in few bits.

Minwise hashing: the units of a text are hashed once and fall into 64 buckets, of each bucket the least hash counts
(P. Li, A. Owen, C.-H. Zhang, "One permutation hashing", 2012), and of that a single bit (P. Li, A. C. König, "b-bit
minwise hashing", 2010); an empty bucket borrows from another (A. Shrivastava, "Optimal densification for fast and
accurate minwise hashing", 2017). So of texts that share the part J of their units, about 32 (1 - J) bits differ.

The units are the shingles of three words of the first 200 words, and how each phrase begins, which bounds what a long
text costs; where words have no spaces between them, four characters in a row. Bits that differ between a text and
itself after edits of single words (a part of all words; mean, 95 % of pairs), how many pairs have one of four bands of
16 bits in common, which is how to look them up, and what 500 words take:

================================  ===========  ============  ============  =========  =======
                                  1 %          3 %           10 %          unrelated  us
================================  ===========  ============  ============  =========  =======
simhash (Charikar 2002)            4.9, 8       8.6, 14      14.6, 20      31.4       285
  bands in common                  68 %         41 %          7 %           0 %
all shingles, one permutation      1.6, 4       4.6, 8       12.8, 18      32.4       152
  bands in common                  99 %         72 %          7 %           0 %
this one                           1.8, 4       4.8, 9       13.7, 19      32.4       116
  bands in common                  99 %         74 %         12 %           0 %
================================  ===========  ============  ============  =========  =======

(80 pairs each of real pages' text; texts drawn by Zipf's law, of 60 to 5,000 words, differ as much. Of 5,000 words this
one takes 200 us, simhash 2,900.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Iterable

BITS = 64
MIN_WORDS = 10
"""Shorter texts have no fingerprint: what they share says little."""

_HEAD_WORDS = 200
_PHRASE_BYTES = 20
_MAX_PHRASES = 500
_MAX_CHARS = 20_000
_WIDE_WORDS = 12
"""Characters; where words are longer on average, there are no spaces between them."""

# What starts a phrase, besides a line: what ends one, in any script that has such a sign.
_FOLDED = bytes.maketrans(b".,;:ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"\n\n\n\nabcdefghijklmnopqrstuvwxyz")
_SPACES = b" \t\r\f\v"
_OTHER_ENDS = ("\u3002", "\u3001", "\uff0c", "\u060c", "\u06d4", "\u0964")
_NONE = 1 << 64
"""More than any hash."""
#: for a bucket that nothing fell into: which one to look at instead, and then
_DETOURS = tuple(
    tuple(xxh3_64_intdigest(bytes((bucket, attempt))) % BITS for attempt in range(256)) for bucket in range(BITS)
)


def fingerprint(text: str) -> str | None:
    """The fingerprint of `text` as 16 hex digits; None if it has fewer than `MIN_WORDS` words.

    White space does not count, nor the case of ASCII letters, nor what follows the first 20,000 characters.
    """
    text = text[:_MAX_CHARS]
    head = text[: _HEAD_WORDS * 20].lower().split()
    if sum(map(len, head)) > _WIDE_WORDS * len(head):
        units = _windows("".join(head))
    elif len(head) < MIN_WORDS:
        return None
    else:
        units = _shingles(head[:_HEAD_WORDS])
    if len(units) < MIN_WORDS - 2:
        return None
    units.update(_phrases(text))
    return f"{_sketch(units):016x}"


def distance(one: str, other: str) -> int:
    """In how many bits two fingerprints differ: 0 to 64; 32 on average for texts that share nothing."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _shingles(words: list[str]) -> set[bytes]:
    """Each three words in a row."""
    return set(map(str.encode, map(" ".join, zip(words, words[1:], words[2:], strict=False))))


def _windows(text: str) -> set[bytes]:
    """Each four characters in a row, of the beginning."""
    text = text[: _HEAD_WORDS * 2]
    return {text[at : at + 4].encode() for at in range(max(0, len(text) - 3))}


def _phrases(text: str) -> list[bytes]:
    """How each phrase begins."""
    for end in () if text.isascii() else _OTHER_ENDS:
        if end in text:
            text = text.replace(end, "\n")
    phrases = text.encode().translate(_FOLDED, _SPACES).split(b"\n", _MAX_PHRASES)
    return [phrase[:_PHRASE_BYTES] for phrase in phrases[:_MAX_PHRASES]]


def _sketch(units: Iterable[bytes]) -> int:
    """A bit of the least hash of each bucket."""
    least = [_NONE] * BITS
    for unit in map(xxh3_64_intdigest, units):
        if unit < least[unit % BITS]:  # noqa: PLR1730 - a call of min takes thrice as long
            least[unit % BITS] = unit
    sketch = 0
    for bucket in range(BITS):
        found = least[bucket]
        if found == _NONE:
            found = next((least[detour] for detour in _DETOURS[bucket] if least[detour] != _NONE), 0)
        sketch |= (found // BITS & 1) << bucket
    return sketch
