"""In which encoding is a body that declares none and is no UTF-8? A guess from its bytes, as browsers make one.

What decides without statistics is decided here: UTF-16 by its zero bytes, ISO-2022-JP by its escapes, UTF-8 that was
cut or mixed by how much of it is whole. Letters are chardet's business. It is given the text with non-ASCII bytes
in it and nothing else, for markup and scripts say nothing of a language and drown what does; and what it answers is
weighed by what is met on the web, where windows-1252 is likely and ISO-8859-3 is not.

Never guessed are the encodings that no browser guesses either, such as x-user-defined and the Mac ones.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from crawler.extract.encodings import decode_as

_LOOK_FOR_TEXT_BYTES = 512 * 1024
"""From just before the first non-ASCII byte: scripts may well fill the first hundred thousand."""
_JUDGE_BYTES = 32 * 1024
_FOREWORD_BYTES = 2048

#: Chardet's names, which are Python's, of what Latin scripts are written in
_LATIN = MappingProxyType(
    {
        "cp1250": "windows-1250",
        "cp1252": "windows-1252",
        "cp1254": "windows-1254",
        "cp1257": "windows-1257",
        "cp1258": "windows-1258",
        "iso8859-2": "iso-8859-2",
        "iso8859-3": "iso-8859-3",
        "iso8859-4": "iso-8859-4",
        "iso8859-10": "iso-8859-10",
        "iso8859-13": "iso-8859-13",
        "iso8859-14": "iso-8859-14",
        "iso8859-15": "iso-8859-15",
        "iso8859-16": "iso-8859-16",
    }
)
_LATIN_NAMES = frozenset(_LATIN.values())
_ANY = MappingProxyType(
    {
        **_LATIN,
        "big5hkscs": "big5",
        "cp1251": "windows-1251",
        "cp1253": "windows-1253",
        "cp1255": "windows-1255",
        "cp1256": "windows-1256",
        "cp866": "ibm866",
        "cp874": "windows-874",
        "cp932": "shift_jis",
        "cp949": "euc-kr",
        "euc_jis_2004": "euc-jp",
        "gb18030": "gb18030",
        "iso8859-5": "iso-8859-5",
        "iso8859-6": "iso-8859-6",
        "iso8859-7": "iso-8859-7",
        "iso8859-8": "iso-8859-8",
        "koi8-r": "koi8-r",
        "koi8-u": "koi8-u",
        "shift_jis_2004": "shift_jis",
    }
)

#: by how much the score of an encoding is lowered that hardly any page is written in
_RARE = MappingProxyType(
    {"iso-8859-3": 0.75, "iso-8859-10": 0.75, "iso-8859-14": 0.75, "iso-8859-4": 0.9, "iso-8859-16": 0.98}
)
_RARE_AT_LEAST = 0.1
_LIKELY = 0.01  # what windows-1252 is given on top, which counts where nothing scores
_LETTERS_AT_LEAST = 3
_ZEROS_AT_LEAST = 4
_MULTI_BYTE = ("shift_jis", "euc-jp", "gb18030", "big5", "euc-kr")

_ASCII = bytes(range(0x80))
_CONTROLS = bytes(byte for byte in (*range(0x20), 0x7F) if byte not in b"\t\n\r")
#: quotes, dashes, signs: the same in windows-1250 to 1258, so they tell nothing
_PUNCTUATION = bytes((0x82, 0x84, 0x85, 0x8B, *range(0x91, 0x98), 0x99, 0x9B, 0xA0, 0xA7, 0xA9, 0xAB, 0xAE))
_FIRST_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUNS = re.compile(rb"[\x80-\xff]{2,}")
_C1 = re.compile(rb"[\x80-\x9f]")
_ISO_2022_JP = re.compile(rb"\x1b\$[@B](?:[\x21-\x7e]{2})+")


def guess_of_utf8(body: bytes) -> str | None:
    """The encoding of a body that is valid UTF-8 and yet is something else: UTF-16 or ISO-2022-JP; None if it is not.

    Bodies without zero and escape bytes, nearly all, are told apart by two searches.
    """
    if b"\0" in body and (name := _utf_16(body)):
        return name
    if b"\x1b$" in body and body.isascii() and _ISO_2022_JP.search(body):
        return "iso-2022-jp"
    return None


def guess(body: bytes) -> str | None:
    """The encoding of a body that is not valid UTF-8, by its WHATWG name; None if its bytes do not say.

    Takes a few ms, however long the body is; a first call 100 ms more, for what chardet has to load.
    """
    if b"\0" in body and (name := _utf_16(body)):
        return name
    first = _FIRST_HIGH.search(body)
    if first is None:
        return None
    start = max(0, first.start() - _FOREWORD_BYTES)
    window = body[start : start + _LOOK_FOR_TEXT_BYTES]
    if _is_mostly_utf8(window):
        return "utf-8"
    text = (_text_with_high_bytes(window) or window)[:_JUDGE_BYTES].translate(None, _CONTROLS)
    if len(text.translate(None, _ASCII + _PUNCTUATION)) < _LETTERS_AT_LEAST:
        return None
    return _by_letters(text, body)


def _utf_16(body: bytes) -> str | None:
    """UTF-16 by its zero bytes: the halves of spaces, line ends and markup, whatever the script, all on one side."""
    window = body[: _JUDGE_BYTES * 2]
    first, second = window[::2].count(0), window[1::2].count(0)
    if max(first, second) < max(_ZEROS_AT_LEAST, len(window) // 100) or min(first, second) * 4 > max(first, second):
        return None
    name = "utf-16be" if first > second else "utf-16le"
    broken = decode_as(window[: len(window) & ~1], name).count("\ufffd")
    return name if broken * 100 < len(window) else None


def _is_mostly_utf8(window: bytes) -> bool:
    """Whether there are some multi-byte characters, and far fewer broken ones: by chance it is the other way round."""
    text = window.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return whole >= 3 and whole >= broken * 2


def _text_with_high_bytes(window: bytes) -> bytes:
    """The pieces of text between tags that are not all ASCII, a line each; without scripts and styles."""
    first, *rest = window.split(b"<")
    pieces = [] if first.isascii() else [first]
    end_tag = b""
    for piece in rest:
        if end_tag:
            if piece[: len(end_tag)].lower() != end_tag:
                continue
            end_tag = b""
        tag, closed, text = piece.partition(b">")
        name = tag[:6].lower()
        if name == b"script":
            end_tag = b"/script"
        elif name[:5] == b"style":
            end_tag = b"/style"
        else:
            if not closed:  # no tag at all
                text = tag
            if not text.isascii():
                pieces.append(text)
    return b"\n".join(pieces)


def _share_in_runs(text: bytes) -> float:
    """How many of the non-ASCII bytes have another one as neighbour: few in Latin scripts, most in any other."""
    high = len(text.translate(None, _ASCII))
    return sum(map(len, _HIGH_RUNS.findall(text))) / high if high else 0.0  # none is left where tags end within text


def _ranked_first(text: bytes) -> tuple[str | None, float]:
    """The likeliest encoding of `text`, and its score from 0 to 1."""
    import chardet  # noqa: PLC0415

    names = _LATIN if _share_in_runs(text) < 0.2 else _ANY
    best, best_score = None, 0.0
    for found in chardet.detect_all(
        text, ignore_threshold=True, compat_names=False, include_encodings=names, max_bytes=len(text)
    ):
        name = names.get(found["encoding"] or "")
        score = found["confidence"]
        if name is None:  # chardet saw none
            continue
        if name in _RARE:
            score = score * _RARE[name] if score > _RARE_AT_LEAST else 0.0
        elif name == "windows-1252":
            score += _LIKELY
        if score > best_score:
            best, best_score = name, score
    return best, best_score


def _by_letters(text: bytes, body: bytes) -> str | None:
    """The encoding of `text`, which stands for all of `body`."""
    name, score = _ranked_first(text)
    if name not in _MULTI_BYTE and _share_in_runs(text) > 0.6:
        return _broken_multi_byte(text, score) or name
    if name in ("windows-1252", "iso-8859-15"):
        return _western(text, body)
    if name in _LATIN_NAMES and decode_as(text, name) == decode_as(text, "windows-1252"):
        return "windows-1252"  # as good, and likelier in what was not looked at
    return name


def _broken_multi_byte(text: bytes, score: float) -> str | None:
    """The multi-byte encoding that `text` is in but for a few broken lines, for which chardet rules it out.

    Args:
        text: What is to be judged.
        score: What the best of the others scores on all of it.
    """
    lines = text.splitlines()
    best = None
    for name in _MULTI_BYTE:
        whole = b"\n".join([line for line in lines if "\ufffd" not in decode_as(line, name)])
        if len(text) * 0.7 < len(whole) < len(text):
            found, its_score = _ranked_first(whole)
            if found == name and its_score > score:
                best, score = name, its_score
    return best


def _western(text: bytes, body: bytes) -> str:
    """Which of the two that differ in eight characters: ISO-8859-15 is told by its euro sign.

    windows-1252 has the currency sign there, which nobody uses, and characters where the other has controls.
    """
    return "iso-8859-15" if b"\xa4" in text and not _C1.search(body) else "windows-1252"
