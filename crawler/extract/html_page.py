"""What does one HTML response say, and where does it lead? Parses it once; the record is made when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config.filing import Filed
from crawler.errors import UrlError
from crawler.extract import charset, robots, robots_meta
from crawler.extract.chosen import Chosen
from crawler.extract.describe import MAX_LINKS, Found, describe
from crawler.extract.embedded import embedded
from crawler.extract.features import wants_text
from crawler.extract.html import Document, tree_of
from crawler.extract.links import Hyperlinks
from crawler.extract.record import LinkLine, one_line
from crawler.extract.shell import needs_js
from crawler.extract.targets import Targets
from crawler.extract.word_count import PARTING_TAGS, count_words
from crawler.models import LINKS, PAGES
from crawler.url import Base

if TYPE_CHECKING:
    from crawler.extract.content import Decoded
    from crawler.extract.record import LinkRecord
    from crawler.extract.settings import Settings
    from crawler.models import Link, Request, Response, Url
    from crawler.scope import Scope


class Means:
    """What is made once and serves every page."""

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self.settings = settings
        self.scope = scope
        self.targets = Targets(settings.urls, settings.fingerprint_key)
        self.product = robots.product_name(settings.agent)
        self.robots_names = robots_meta.meta_names(self.product)
        self.encoder = msgspec.json.Encoder()
        self.filed = Filed(settings.files) if settings.files else None
        #: the keys of the record that are wanted, if not all are
        self.chosen = Chosen(settings.extract) if settings.extract.fields is not None else None
        #: what is asked of a page
        self.extract = settings.extract if self.chosen is None else self.chosen.extract
        #: whether links are listed anywhere
        self.wants_links = self.extract.links or settings.link_lines
        #: whether documents are used for more than records
        self.has_scraping = bool(settings.extract.rules) or settings.extract.python is not None
        counts_words = self.chosen is not None and self.chosen.counts_words and not self.has_scraping
        self.marked_tags = PARTING_TAGS if counts_words else frozenset()


class HtmlPage:
    """One HTML response, parsed."""

    def __init__(
        self,
        means: Means,
        request: Request,
        response: Response,
        content_type: str | None,
        body: Decoded,
        *,
        digest: str = "",
    ) -> None:
        settings = means.settings
        self._means = means
        self._request, self._response = request, response
        self._content_type = content_type
        self._body = body
        self._digest = digest
        self.text = charset.decode(body.data, content_type)
        self._has_text = wants_text(means.extract)
        self.document = Document(
            self.text.utf8,
            want_text=self._has_text,
            want_link_texts=means.wants_links,
            marked_tags=means.marked_tags,
        )
        self.head = self.document.head(means.robots_names)
        asked = robots_meta.asked(response.headers, self.head.robots, means.product)
        #: whether its record is not to be kept
        self.is_unwanted = asked.noindex and settings.noindex
        scope = means.scope.for_page(request.scope_host, request.depth + 1)
        #: whether it asks that none of its links be followed
        self.nofollow = asked.nofollow and settings.nofollow
        #: what relative URLs on it start from
        self.base_url = self._base_url()
        #: what hrefs on it mean
        self.targets = means.targets.of_page(self.base_url, scope)
        self.hyperlinks = Hyperlinks(
            self.document,
            self.targets,
            skip_rel=settings.skip_rel,
            nofollow=self.nofollow,
        )
        #: whether it seems an empty shell
        self.needs_js = needs_js(self.document, self.hyperlinks.n_links, self._count_words_apart)

    def pictures(self) -> tuple[Link, ...]:
        """Those that are wanted as files and may be followed, whatever else a rule says of links; each once."""
        filed = self._means.filed
        if filed is None or self.nofollow:
            return ()
        targets = [self.targets.target(href) for href in embedded(self.document.tree, filed, self.targets.url)]
        links = {target.link.url: target.link for target in targets if target.link and target.rule is None}
        return tuple(link for url, link in links.items() if not self.hyperlinks.has(url))

    def records(self) -> tuple[tuple[str, bytes], ...]:
        """The page's own line, and one a link where asked for, with newlines between them only; none if unwanted."""
        if self.is_unwanted:
            return ()
        settings, encoder = self._means.settings, self._means.encoder
        links, more_links = self.hyperlinks.records(MAX_LINKS) if self._means.wants_links else (None, False)
        record = self._record(links, more_links=more_links)
        page = (PAGES, one_line(encoder.encode(record)))
        if not (settings.link_lines and links):
            return (page,)
        lines = [LinkLine(self._request.url, link.url, link.text, link.rel) for link in links]
        return (page, (LINKS, one_line(encoder.encode_lines(lines)[:-1])))

    def _record(self, links: tuple[LinkRecord, ...] | None, *, more_links: bool) -> msgspec.Struct:
        means = self._means
        found = Found(
            self._request.url,
            self._body,
            self.text,
            self.document,
            self.head,
            self.targets,
            self.hyperlinks,
            links,
            more_links,
            self.needs_js,
            self._count_words,
            self._digest,
        )
        if means.chosen is not None:
            return means.chosen.describe(self._request, self._response, self._content_type, found)
        return describe(self._request, self._response, self._content_type, found, means.extract)

    def _count_words(self) -> int:
        """Those of all text. The document is changed, unless someone else goes by it."""
        if self._means.has_scraping:
            return self._count_words_apart()
        return count_words(self.document.utf8, self.document.tree, self.document.marked)

    def _count_words_apart(self) -> int:
        """Those of all text, `noscript` included."""
        if self._has_text:
            return self.document.blocks()[1]
        utf8 = self.document.utf8
        return count_words(utf8, tree_of(utf8))

    def _base_url(self) -> Url:
        """Its base URL: its own, unless a ``<base href>`` names another http(s) one."""
        url, href = self._response.url, self.head.base_href
        if href is None:
            return url
        try:
            return Base(url, self._means.settings.urls).join(href)
        except UrlError:
            return url  # browsers fall back likewise
