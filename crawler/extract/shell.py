"""Is a page an empty shell that scripts have to fill? A hint for whoever wonders where its text is.

It is one if it loads scripts, hardly has text or links of its own, and shows by a sign that they are to come: an empty
element that a framework is mounted on, or words in ``<noscript>`` that ask for JavaScript.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Callable

    from selectolax.lexbor import LexborNode

    from crawler.extract.html import Document

MAX_WORDS = 60
MAX_LINKS = 8
_MAX_PLAIN_WORDS = 8
_MAX_CHARS = 1_000

_MOUNTS = (
    "#root, #app, #__next, #__nuxt, #___gatsby, #svelte, #ember-app, #main-app, #react-root, #app-root, #application, "
    "#mount, #q-app, [ng-app], [data-reactroot], [data-server-rendered], app-root, [ng-version], my-app"
)
_DO = (
    r"(?:enable|activate|turn on|require[sd]?|needs?|needed|disabled|without|aktivier\w+|deaktivier\w+|benötigt|"
    r"activ\w+|désactiv\w+|habilit\w+|abilit\w+|włącz\w*|включ\w*|schakel|inschakelen|開啟|有効|启用)"
)
_ASKS = re2.compile(rf"(?i){_DO}[^.]{{0,80}}java\s?script|java\s?script[^.]{{0,80}}{_DO}")


def needs_js(document: Document, n_links: int, count_words: Callable[[], int]) -> bool:
    """Whether the page seems an empty shell.

    Args:
        document: The page.
        n_links: With href.
        count_words: Counts those of all its text, ``<noscript>`` included; asked if all else says so.
    """
    if n_links > MAX_LINKS or not document.scripts:
        return False
    tree = document.tree
    asks = any(_ASKS.search(node.text_lexbor()[:_MAX_CHARS]) for node in tree.css("noscript")[:20])
    return (asks or any(map(_is_empty, tree.css(_MOUNTS)[:20]))) and count_words() <= MAX_WORDS


def _is_empty(mount: LexborNode) -> bool:
    """Whether a mount holds no more than a loading sign."""
    return (
        len(mount.text_lexbor()[: _MAX_CHARS * 10].split()) <= _MAX_PLAIN_WORDS
        and mount.css_first("a[href], form") is None
    )
