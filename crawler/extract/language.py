"""In which language is a text? By its script, and where languages share one, by the short words they are full of.

Naive Bayes over the thirty commonest words of each language, and letters that one has and its relatives have not:
enough for a page, where any detector has hundreds of words to go by. Of 455 multilingual pages that declare a
language, 432 are found to be in it (pycld2 434, fastText 437 with lid.176.ftz, py3langid 438, gcld3 438; most of the
others declare a wrong one); of 898 manual pages in 18 languages 817 (pycld2 835; the rest are for the most part not
translated). It takes less time than any of these (pycld2 as much, fastText twice, gcld3 five, py3langid twenty times as
much), which would bring 1.4 to 73 MB, no wheels for some platforms, a model under CC-BY-SA, or requests. A line of
eighty characters is too short for this one: one in five is wrong, one in seven of pycld2's. What reads like
no language we know is none: fewer than two of its words, or too few for how long the text is.
"""

from __future__ import annotations

import math
from collections import Counter

from crawler.extract.language_words import LETTERS, WORDS

MAX_CHARS = 2_000
"""No more of a text is looked at, from its middle, as texts begin with names and menus."""

_UNSEEN = 1 / 1_500
"""How often a word of a language is one that is not among its commonest, but among those of another."""
_LETTER_WEIGHT = 1.0
_MIN_SHARE = 0.06
"""Of known words in a text. English has thirty in a hundred, Finnish ten."""
_MIN_KNOWN = 2
_MAX_COUNT = 8

# Where a script starts (code points), and what text in it is: a language, or a key of WORDS.
_SCRIPTS = (
    (0x0041, "latin"), (0x0370, "el"), (0x0400, "cyrillic"), (0x0530, "hy"), (0x0590, "he"), (0x0600, "arabic"),
    (0x0700, ""), (0x0900, "devanagari"), (0x0980, "bn"), (0x0A00, "pa"), (0x0A80, "gu"), (0x0B00, "or"),
    (0x0B80, "ta"), (0x0C00, "te"), (0x0C80, "kn"), (0x0D00, "ml"), (0x0D80, "si"), (0x0E00, "th"), (0x0E80, "lo"),
    (0x0F00, "bo"), (0x1000, "my"), (0x10A0, "ka"), (0x1100, "ko"), (0x1200, "am"), (0x13A0, ""), (0x1780, "km"),
    (0x1800, "mn"), (0x18B0, ""), (0x1E00, "latin"), (0x1F00, "el"), (0x2000, ""), (0x3040, "ja"), (0x3100, "zh"),
    (0x3130, "ko"), (0x3190, ""), (0x31F0, "ja"), (0x3200, ""), (0x3400, "zh"), (0xA000, ""), (0xAC00, "ko"),
    (0xD7B0, ""), (0xF900, "zh"), (0xFB00, ""), (0xFB50, "arabic"), (0xFE00, ""), (0xFE70, "arabic"), (0xFEFF, ""),
)  # fmt: skip
_BLOCK = 16
_SCRIPT_OF_BLOCK = [""] * (0x10000 // _BLOCK)
for _start, _script in _SCRIPTS:
    for _block in range(_start // _BLOCK, 0x10000 // _BLOCK):
        _SCRIPT_OF_BLOCK[_block] = _script


def _weights(languages: dict[str, list[str]]) -> dict[str, list[tuple[str, float]]]:
    """Of each word, by how much it speaks for each language that has it, over one that has not: a log-likelihood."""
    weights: dict[str, list[tuple[str, float]]] = {}
    for language, words in languages.items():
        for rank, word in enumerate(dict.fromkeys(words)):
            weights.setdefault(word, []).append((language, math.log(0.25 / (rank + 4) / _UNSEEN)))
    return weights


_WEIGHTS = {script: _weights(languages) for script, languages in WORDS.items()}


def detect(text: str) -> str | None:
    """The language of `text` by ISO 639-1, or 639-3 where there is no such code; None if it cannot be told."""
    start = min(max(0, (len(text) - MAX_CHARS) // 2), len(text) // 8)
    sample = text[start : start + MAX_CHARS].lower()
    if sample.isascii():
        return _by_words(sample, "latin")
    if len(sample.encode("ascii", "ignore")) > 0.6 * len(sample):
        return _by_words(sample, "latin") or _by_script(sample)
    return _by_script(sample)


def _by_script(sample: str) -> str | None:
    script = _script_of(sample)
    return _by_words(sample, script) if script in _WEIGHTS else script


def _script_of(sample: str) -> str | None:
    """The script most letters are of, as `_SCRIPTS` has it; Japanese has kana among its many Chinese characters."""
    counts: dict[str, int] = {}
    for character, count in Counter(sample).items():
        code = ord(character)
        script = _SCRIPT_OF_BLOCK[code // _BLOCK] if code < 0x10000 else "zh" if 0x20000 <= code < 0x32000 else ""
        if script and character.isalpha():
            counts[script] = counts.get(script, 0) + count
    if not counts:
        return None
    east_asian = counts.get("zh", 0) + counts.get("ja", 0)
    if east_asian and counts.get("ja", 0) * 20 > east_asian:
        counts["ja"] = east_asian
        counts.pop("zh", None)
    # A Chinese character or a syllable of Korean says more than a letter.
    for dense in ("zh", "ja", "ko"):
        if dense in counts:
            counts[dense] *= 3
    return max(counts, key=counts.__getitem__)


def _by_words(sample: str, script: str) -> str | None:
    words = _clean(sample).split()
    weights = _WEIGHTS[script]
    scores: dict[str, float] = {}
    hits: dict[str, int] = {}
    for word, count in Counter(filter(weights.__contains__, words)).items():
        # A word that comes up over and over tells of the topic, or is a name.
        count = min(count, _MAX_COUNT)  # noqa: PLW2901
        for language, weight in weights[word]:
            scores[language] = scores.get(language, 0.0) + weight * count
            hits[language] = hits.get(language, 0) + count
    if not scores:
        return None
    if not sample.isascii():
        for letter in set(sample) & LETTERS.keys():
            language = LETTERS[letter]
            if language in scores:
                scores[language] += _LETTER_WEIGHT * min(sample.count(letter), 20)
    best = max(sorted(scores), key=scores.__getitem__)
    known = hits[best]
    return best if known >= _MIN_KNOWN and (known >= 3 * _MIN_KNOWN or known >= _MIN_SHARE * len(words)) else None


def _clean(sample: str) -> str:
    """`sample` with the signs that stand beside words as spaces."""
    for sign in '.,:;!?()"\u201e\u201c\u201d\u00ab\u00bb\u2026\u060c':
        if sign in sample:
            sample = sample.replace(sign, " ")
    return sample
