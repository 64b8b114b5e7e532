"""What do the pages of a web that changes look like? HTML of which some counts, and some is boilerplate."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.web import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES = """
extract:
  rules:
    - name: offer
      match: "*/pages/*"
      unique: [sku]
      fields:
        sku: {css: .offer, attr: data-sku, required: true}
        price: {css: .offer, attr: data-price, type: float}
"""
"""A rule, as a configuration file has it, that makes an item of each page but the front pages. Its price is no text."""

PARTS = ("title", "text", "items", "boilerplate")
"""What of a page can change."""


@dataclass(frozen=True)
class Look:
    """How one page looks; equal looks are equal pages."""

    host: int
    number: int
    #: how often each part has changed, of `PARTS`
    title: int = 0
    text: int = 0
    items: int = 0
    boilerplate: int = 0


def html(look: Look, links: Iterable[str], *, noise: str = "", words: int = 200) -> bytes:
    """A page: its main text, its offer, and about it boilerplate, with `noise` in every part of that."""
    name = f"{look.host}-{look.number}"
    title = f"Notes on {name}" + f", edition {look.title}" * bool(look.title)
    items = "".join(f'<li><a href="{path}">{path.strip("/") or "Home"}</a></li>' for path in links)
    text = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs(look, words))
    footer = f"Copyright, issue {look.boilerplate}. Visits so far: {noise or 'many'}."
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="description" content="What is known of {name}."><meta name="csrf-token" content="token-{noise}">
<script nonce="{noise}">window.drawn = "{noise}";</script></head>
<body><header>The daily web {noise}</header>
<nav><ul>{items}</ul></nav>
<main><article><h1>About {name}</h1>
{text}
</article></main>
<div class="offer" data-sku="S{name}" data-price="{look.number + look.items}.5"></div>
<form action="/search"><input type="hidden" name="token" value="{noise}"><input name="q"></form>
<footer>{footer}</footer></body></html>
""".encode()


def paragraphs(look: Look, words: int) -> list[str]:
    """The main text. Each change of it puts another sentence into its second paragraph."""
    first, second, *rest = _first_text(look.host, look.number, words)
    more = " ".join(f"Edition {edition} told of {_sentence(look, edition)}." for edition in range(1, look.text + 1))
    return [first, f"{second} {more}".rstrip(), *rest]


@functools.lru_cache(4096)
def _first_text(host: int, number: int, words: int) -> tuple[str, ...]:
    drawn = random.Random(f"text {host} {number}")
    texts = (
        f"{drawn.choice(WORDS).title()} {number} and the {' '.join(drawn.choices(WORDS, k=words // 4))} of {number}."
        for _ in range(4)
    )
    return tuple(texts)


def _sentence(look: Look, edition: int) -> str:
    drawn = random.Random(f"edition {look.host} {look.number} {edition}")
    return f"the {' '.join(drawn.choices(WORDS, k=8))}, {drawn.randrange(10**6)} in all"
