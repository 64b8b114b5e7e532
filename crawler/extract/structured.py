"""Which structured data does a page carry? Asks those who read it, for what is wanted and may be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from crawler.extract.json_ld import of_scripts
from crawler.extract.microdata import microdata
from crawler.extract.opengraph import of_metas
from crawler.extract.rdfa import rdfa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.config.extracting import FeaturesConfig
    from crawler.extract.html import Document


class Structured(NamedTuple):
    """What was asked for; None for what was not."""

    json_ld: list[Any] | None
    opengraph: dict[str, list[str | None]] | None
    twitter: dict[str, list[str | None]] | None
    microdata: list[dict[str, Any]] | None
    rdfa: list[dict[str, Any]] | None
    #: JSON-LD, if only to see what it says of the article
    all_json_ld: list[Any]
    #: the names of those that had to be cut
    cut: tuple[str, ...]


def structured(
    document: Document,
    metas: Sequence[LexborNode],
    wanted: FeaturesConfig,
    resolve: Callable[[str], str | None],
) -> Structured:
    """What `wanted` asks for.

    Args:
        document: The page.
        metas: Its meta elements.
        wanted: Which kinds.
        resolve: Makes a canonical URL of a reference.
    """
    cut = []
    blocks = None
    if wanted.json_ld or wanted.meta:
        blocks = of_scripts(document.scripts)
        if wanted.json_ld and (blocks.was_cut or blocks.unread):
            cut.append("json_ld")
    cards = of_metas(metas) if wanted.opengraph else None
    if cards is not None and cards.was_cut:
        cut += ["opengraph", "twitter"]
    items = microdata(document.tree, resolve) if wanted.microdata else None
    if items is not None and items.was_cut:
        cut.append("microdata")
    statements = rdfa(document.tree, resolve) if wanted.rdfa else None
    if statements is not None and statements.was_cut:
        cut.append("rdfa")
    return Structured(
        json_ld=blocks.values if blocks is not None and wanted.json_ld else None,
        opengraph=cards.opengraph if cards else None,
        twitter=cards.twitter if cards else None,
        microdata=items.items if items else None,
        rdfa=statements.subjects if statements else None,
        all_json_ld=blocks.values if blocks is not None else [],
        cut=tuple(cut),
    )
