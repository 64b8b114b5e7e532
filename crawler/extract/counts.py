"""How long is a text: in sentences, and in seconds of a reader's time?"""

from __future__ import annotations

WORDS_PER_MINUTE = 238
"""Of silent reading: M. Brysbaert, "How many words do we read per minute?", 2019 (English non-fiction; other languages
that have spaces between words come close)."""
CHARACTERS_PER_MINUTE = {"zh": 260, "ja": 360, "th": 500, "lo": 500, "km": 500, "my": 500, "bo": 500}
"""Where words have no spaces between them: S. Trauzettel-Klosinski, K. Dietz, "Standardized assessment of reading
performance" (2012), 255 for Chinese and 357 for Japanese; for the others a guess."""

_OTHER_STOPS = ("\u3002", "\uff01", "\uff1f", "\u0964", "\u06d4", "\u061f", "\u1362", "\u17d4")


def sentences(text: str) -> int:
    """How many sentences `text` holds: what ends in a full stop, an exclamation or a question mark, and other lines.

    An abbreviation before a space counts as an end: counts compare pages, they do not part sentences.
    """
    if not text:
        return 0
    within = sum(text.count(f"{mark} ") for mark in ".!?" if mark in text)  # most texts shout and ask little
    if not text.isascii():
        for stop in _OTHER_STOPS:
            if stop in text:
                within += text.count(stop) - f"{text}\n".count(f"{stop}\n")
    return within + text.count("\n") + 1 - text.count("\n\n")


def reading_s(text: str, word_count: int, lang: str | None) -> int:
    """Seconds it takes to read `text` of `word_count` words, which is in `lang` as `language.detect` has it."""
    per_minute = CHARACTERS_PER_MINUTE.get(lang or "")
    if per_minute is None:
        return round(word_count * 60 / WORDS_PER_MINUTE)
    characters = len(text) - sum(map(text.count, " \n"))
    return round(characters * 60 / per_minute)
