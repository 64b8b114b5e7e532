"""How does text stand in a record? White space collapsed, invisible characters left out. Which text, `html` knows."""

from __future__ import annotations

import re

BLOCK = "\0"
"""Marks where a block starts; no HTML text can hold it: parsers drop or replace it."""

_LINE_START = re.compile(f"\n?{BLOCK}+")  # a line that ends where a block starts has ended once
_ASCII_SPACE = re.compile(r"[\t\n\f\r ]{2,}|[\t\n\f\r]")
# What else `str.split` takes for white space in ASCII, and is hardly ever met.
_RARE_SPACE = "\x0b\f\r\x1c\x1d\x1e\x1f"
#: soft hyphen, zero width space, word joiner, byte order mark: they say where a line may break and part words that
#: are the same; zero width joiner and non-joiner are not among them, for they make other words
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"


def visible(text: str) -> str:
    """`text` without characters that only say where a line may break."""
    if text.isascii():
        return text
    for character in _INVISIBLE:
        if character in text:
            text = text.replace(character, "")
    return text


def collapsed(text: str) -> str:
    """What is `visible` of `text`, with every run of white space as one space and none at the ends."""
    return " ".join(visible(text).split())


def collapsed_ascii(text: str) -> str:
    """`text` with every run of ASCII white space, which is what HTML collapses, as one space and none at the ends.

    So ``&nbsp;`` stays, unlike with `collapsed`.
    """
    if "  " not in text and text.isprintable():  # no line end nor tab, as most attributes: a fifth of the time
        return text.strip(" ")
    return _ASCII_SPACE.sub(" ", text).strip(" ")


def preformatted_lines(text: str) -> str:
    """`text` that keeps its lines and their indentation; no blank line at the ends. `BLOCK` starts a line."""
    if BLOCK in text:
        text = _LINE_START.sub("\n", text)
    text = visible(text).replace("\xa0", " ")
    return "\n".join([line.rstrip() for line in text.split("\n")]).strip("\n")


def add_blocks(lines: list[str], text: str) -> int:
    """Append what is between the `BLOCK` marks of `text` to `lines`, `collapsed`; how many words there are."""
    text = visible(text).replace("\n", " ").replace("\t", " ")
    only_spaces = not any(space in text for space in _RARE_SPACE)
    found = [line for block in text.split(BLOCK) if (line := block.strip())]
    for number, line in enumerate(found):
        # Else as it should be, for no other white space is printable: half the time of splitting it.
        if "  " in line or not ((only_spaces and line.isascii()) or line.isprintable()):
            found[number] = " ".join(line.split())
    lines += found
    return "\n".join(found).count(" ") + len(found)
