"""How is HTML and SVG written so that no text ever becomes markup?

`tag` escapes every child that is not `Html`, and only `tag`, `joined` and `trusted` make that. Text from pages and
servers goes through `shown` too: what cannot be seen, or turns the direction of what follows, is written as an escape.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from crawler.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID: Final = frozenset(("br", "col", "hr", "link", "meta"))
_LONGEST_SHOWN: Final = 240  # characters of a URL
_LONGEST_LINK: Final = 2_000


class Html(str):
    """Markup that is safe as it stands. What is made of it by methods of ``str`` is plain text again."""

    __slots__ = ()


NOTHING: Final = Html("")


def tag(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element; a child that is not `Html` is text.

    An attribute's name ends with ``_`` where it would be a word of Python's, and has ``_`` for ``-``; one that is None
    or False is left out, one that is True has no value.
    """
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(opened)
    return Html(f"{opened}{''.join(_child(child) for child in children if child is not None)}</{name}>")


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Parts one after another; those that are not `Html` are text."""
    return Html(_child(between).join(map(_child, parts)))


def trusted(markup: str) -> Html:
    """What is markup already, and our own: a style sheet, a script."""
    return Html(markup)


def shown(text: str, limit: int | None = None) -> Html:
    """Text from elsewhere, in its own direction of reading and at most `limit` characters of it."""
    return tag("bdi", printable(text, limit))


def lines(text: str) -> str:
    """`text` with its line breaks, and all else escaped that cannot be seen."""
    return "\n".join(printable(line) for line in text.split("\n"))


def link(url: str) -> Html:
    """A URL as text, and a link if it leads to the web and is whole (one that was cut ends with ``…``)."""
    text = tag("bdi", _short(printable(url)))
    if not url.startswith(("http://", "https://")) or len(url) > _LONGEST_LINK or not _is_whole(url):
        return tag("span", text, class_="url")
    return tag("a", text, class_="url", href=url, rel="noopener noreferrer nofollow")


def number(value: float) -> str:
    """A coordinate in at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _is_whole(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def _short(url: str) -> str:
    """Its beginning and its end, which tell URLs of one site apart."""
    if len(url) <= _LONGEST_SHOWN:
        return url
    return f"{url[: _LONGEST_SHOWN - 61]}…{url[-60:]}"


def _child(child: str) -> str:
    return child if isinstance(child, Html) else escape(child, quote=False)


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001 -- HTML has attributes without value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f' {name}=""'
    return f' {name}="{escape(value) if isinstance(value, str) else number(value)}"'
