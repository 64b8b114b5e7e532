"""Where does a page lead? Takes stock of its hyperlinks, each target once: for the frontier and for the record."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from selectolax.lexbor import create_tag

from crawler.extract.html import text_of
from crawler.extract.record import LinkRecord
from crawler.extract.text import collapsed, collapsed_ascii
from crawler.models import MAX_EXAMPLES, Refusal
from crawler.url import registrable_domain

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Sequence

    from selectolax.lexbor import LexborNode

    from crawler.extract.html import Document
    from crawler.extract.targets import PageTargets
    from crawler.models import HostKey, Link, Url

MAX_TEXT_CHARS = 200
"""Of a link's text, and of its rel."""
MAX_TARGET_CHARS = 16 * 1024**2
"""Of the targets of a page, each with `TARGET_CHARS` more: a base URL of 16 KB makes that much of every short href."""
TARGET_CHARS = 100
TOO_MANY = f"page: beyond {MAX_TARGET_CHARS // 1024**2} MiB of links"
"""The rule that keeps out what comes after those, give or take `_STRETCH`."""
_STRETCH = 1_000  # links after which the sum is taken; most pages have fewer
_TITLE = create_tag("title").tag_id  # of a drawing
_ALT_TAGS = frozenset((create_tag("area").tag_id, create_tag("img").tag_id))
_MAX_EXAMPLE_CHARS = 200


class Refused:
    """Links kept out, counted by rule, with a few examples."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[list[str], int]] = {}

    def add(self, rule: str, example: str) -> None:
        """Count one link that `rule` kept out."""
        examples, count = self._rules.get(rule) or ([], 0)
        if count < MAX_EXAMPLES:
            examples.append(example[:_MAX_EXAMPLE_CHARS])
        self._rules[rule] = (examples, count + 1)

    def refusals(self) -> tuple[Refusal, ...]:
        """As models have them, in the order the rules first struck."""
        return tuple(
            Refusal(rule=rule, count=count, examples=tuple(examples)) for rule, (examples, count) in self._rules.items()
        )


class Hyperlinks:
    """The ``<a>`` and ``<area>`` elements of a page, resolved and judged.

    Args:
        document: Where they stand; those without href do not count.
        targets: What their hrefs mean.
        skip_rel: A target that is linked with one of these in the rel attribute, and never without, is not followed.
        nofollow: Whether none is followed.
    """

    __slots__ = (
        "_document",
        "_found",
        "_hosts",
        "_nofollow",
        "_skipped",
        "followed",
        "has_more",
        "n_links",
        "n_nofollow",
        "refusals",
    )

    def __init__(
        self, document: Document, targets: PageTargets, *, skip_rel: Sequence[str] = (), nofollow: bool = False
    ) -> None:
        # Runs hundreds of times a page, so everything is looked up once: element, then attributes, then target.
        site, folder, here, resolve = targets.site.get, targets.folder.get, targets.here.get, targets.resolve
        refused: dict[str, str] = {}
        skipped: dict[Url, str] = {}
        found: dict[Url, tuple[Link, str | None, LexborNode, str | None]] = {}
        hosts: list[HostKey] = []
        add_host = hosts.append
        n_links = n_nofollow = 0
        hyperlinks = document.hyperlinks
        #: whether the page has more targets than are kept
        self.has_more = False
        for start in range(0, len(hyperlinks), _STRETCH):
            if start and are_many(found):
                self.has_more = True
                n_links += _keep_out(hyperlinks[start:], targets, found, refused)
                break
            for element in hyperlinks[start : start + _STRETCH]:
                attributes = element.attributes
                if "href" not in attributes:
                    continue
                n_links += 1
                href = attributes["href"] or ""  # None: an attribute without a value, which is the empty one
                if "#" in href:
                    href = href.partition("#")[0]
                target = site(href) or folder(href) or here(href) or resolve(href)
                link = target.link
                if link is None:
                    refused[href] = target.rule or ""
                    continue
                add_host(link.host_key)
                rel = attributes.get("rel")
                if rel is not None and "nofollow" in rel.lower().split():
                    n_nofollow += 1
                if link.url not in found:
                    found[link.url] = (link, target.rule, element, rel)
                    if rel is not None and (token := _token_of(skip_rel, rel)):
                        skipped[link.url] = token
                elif link.url in skipped and not _token_of(skip_rel, rel or ""):
                    del skipped[link.url]
        #: ``<a>`` elements with href, whatever it says
        self.n_links = n_links - sum("href" in area.attributes for area in document.areas)
        #: links with nofollow in rel
        self.n_nofollow = n_nofollow
        self._hosts = hosts
        self._document = document
        self._found = found
        self._skipped = skipped
        self._nofollow = nofollow
        #: targets that may enter, in document order
        self.followed = () if nofollow else self._followed()
        #: what is no http(s) URL, then what is out of scope or not to be followed
        self.refusals = self._refusals(refused)

    def _followed(self) -> tuple[Link, ...]:
        skipped = self._skipped
        if not skipped:
            return tuple([link for link, rule, _, _ in self._found.values() if rule is None])
        return tuple([link for url, (link, rule, _, _) in self._found.items() if rule is None and url not in skipped])

    def _refusals(self, refused: dict[str, str]) -> tuple[Refusal, ...]:
        if not refused and len(self.followed) == len(self._found):
            return ()
        counted = Refused()
        for href, rule in refused.items():
            counted.add(rule, href)
        for url, (_, scope_rule, _, _) in self._found.items():
            if kept_out_by := scope_rule or self.wish(url):
                counted.add(kept_out_by, url)
        return counted.refusals()

    def has(self, url: Url) -> bool:
        """Whether `url` is one of the targets."""
        return url in self._found

    def wish(self, url: Url) -> str | None:
        """The rule by which the page's own wish keeps a link out that the scope admits."""
        if self._nofollow:
            return "robots.nofollow"
        token = self._skipped.get(url)
        return f"robots.skip_rel: {token}" if token else None

    def n_within(self, domain: str) -> tuple[int, int]:
        """How many links lead to http(s) URLs of a registrable domain, and how many to others."""
        hosts = Counter(self._hosts)
        within = sum(count for key, count in hosts.items() if _domain(key) == domain)
        return within, hosts.total() - within

    def records(self, limit: int) -> tuple[tuple[LinkRecord, ...], bool]:
        """What the page record says of the first `limit` targets, and whether there were more, kept or not."""
        structured = self._document.structured_links
        records = []
        for url, (_, _, element, rel) in islice(self._found.items(), limit):
            text = element.text_lexbor()
            if structured and element.mem_id in structured and text and not text.isspace():
                text = text_of(element)
            text = " ".join(text.split()) if text.isascii() else collapsed(text)  # a call is half its time
            text = text or _name(element)
            said = None if rel is None else collapsed_ascii(rel)[:MAX_TEXT_CHARS]
            records.append(LinkRecord(url, text[:MAX_TEXT_CHARS], said))
        return tuple(records), self.has_more or len(self._found) > limit


def are_many(urls: Collection[Url]) -> bool:
    """Whether targets are as many as may be kept."""
    return sum(map(len, urls)) + len(urls) * TARGET_CHARS > MAX_TARGET_CHARS


def _keep_out(
    elements: Sequence[LexborNode], targets: PageTargets, found: Container[Url], refused: dict[str, str]
) -> int:
    """Refuse those of `elements` that lead to no target `found`, as far as that is known; how many are links."""
    n_links = 0
    for element in elements:
        attributes = element.attributes
        if "href" not in attributes:
            continue
        n_links += 1
        href = (attributes["href"] or "").partition("#")[0]
        target = targets.known(href)
        if target is None or (target.link is not None and target.link.url not in found):
            refused[href] = TOO_MANY
        elif target.link is None:
            refused[href] = target.rule or ""
    return n_links


@lru_cache(maxsize=10_000)
def _domain(key: HostKey) -> str:
    """The registrable domain of a host."""
    return registrable_domain(
        key if key[-1] == "]" else key.partition(":")[0] if key[0] != "[" else key.rpartition(":")[0]
    )


def _token_of(skip_rel: Sequence[str], rel: str) -> str | None:
    """The first of `skip_rel` that `rel` holds; link types are compared without regard to ASCII case (HTML, 4.6.7)."""
    tokens = rel.lower().split()
    return next((token for token in skip_rel if token in tokens), None)


def _name(link: LexborNode) -> str:
    """What a link without text is called: as its pictures are, itself if it is an area; else by its own attributes.

    As accessible names are computed (W3C, Accessible Name and Description Computation), but that a label does not
    replace what can be read.
    """
    names = []
    for node in link.traverse():
        tag = node.tag_id
        if tag in _ALT_TAGS:
            names.append(node.attributes.get("alt") or "")
        elif tag == _TITLE:
            names.append(node.text_lexbor())
    if name := collapsed(" ".join(names)):
        return name
    attributes = link.attributes
    return collapsed(attributes.get("aria-label") or "") or collapsed(attributes.get("title") or "")
