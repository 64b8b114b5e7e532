"""Where does the page that is tried come from? From its server, a file, or the archive of a crawl."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from crawler.archive.captures import Captures
from crawler.cli import INTERRUPTED
from crawler.cli.reextract import configuration
from crawler.cli.running import run_crawl
from crawler.config.file import Loaded, load, loads
from crawler.dataset import archived
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError, UrlError
from crawler.export.outcomes import OutcomeRecord, outcome_line
from crawler.models import OUTCOMES, Finished, Outcome, Request, Response
from crawler.plan import Plan
from crawler.seeds import seed_request, single_seed
from crawler.url import canonicalize, host, host_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.archive.captures import Capture
    from crawler.config import CrawlConfig

_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".json": "application/json",
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ONE_PAGE = (
    "scope.max_depth=0",
    "checkpoint.fsync=false",
    "parse.workers=1",
    "sitemaps.follow=false",
    "export.sitemaps=false",
    "export.links=false",
    "export.files=[]",
    "export.compress=none",
    "export.warc=true",
    "export.report=false",
    "frontier=memory",
    "extract.rules=[]",
    "extract.python=null",
)
_UNREAD_BYTES = 1 << 20  # of an archive's record: chunks and head beside the body


class Asked(NamedTuple):
    """What the options say."""

    config: Path | None = None  #: a configuration, or a file of rules alone
    overrides: tuple[str, ...] = ()
    url: str | None = None  #: of the page that a file holds


class Got(NamedTuple):
    """One answer, or why there is none."""

    request: Request | None
    response: Response | None
    #: lines of outcomes.jsonl: of redirects that led there, or that failed
    endings: tuple[bytes, ...] = ()


class InArchive(NamedTuple):
    """A page of a crawl that has ended."""

    directory: CrawlDirectory
    url: str


Place = str | Path | InArchive
"""A URL or host as given, a file, or a page of a crawl."""


def configured(asked: Asked, place: Place) -> Loaded:
    """The configuration that a page is tried under: as asked for, else that of the crawl it is from, or defaults.

    Raises:
        ConfigError: It cannot be used.
    """
    if isinstance(place, InArchive):
        config = configuration(place.directory, asked.config, asked.overrides)
        return Loaded(config, "", asked.config.parent if asked.config else place.directory.path)
    if asked.config is None:
        return loads("", "defaults", asked.overrides)
    return load(asked.config, asked.overrides, or_rules=True)


def place_of(item: str, url: str | None) -> Place:
    """What an argument means.

    Raises:
        ConfigError: It is none of these, or a list of seeds, or `url` cannot be its URL.
    """
    item = item.strip()
    if _SCHEME.match(item):
        if url is not None:
            raise ConfigError(f"--url {url}: is for a file, whose URL nobody knows; {item} is a URL itself")
    elif found := _in_archive(item):
        return found
    else:
        path = Path(item)
        if url is not None or (_suffix(path)[0] in _TYPES and (path.is_file() or _is_path(item))):
            return path
    single_seed(item)
    return item


def _is_path(item: str) -> bool:
    """Whether what ends like a page's file is no host, nor a path on one: ``page.html``, ``./a.xml``, ``a/b.json``."""
    first, slash, _ = item.partition("/")
    return not slash or "." not in first.strip(".")


def is_page(item: str) -> bool:
    """Whether an argument must be meant as a page: what is neither may be an example, or a host."""
    return bool(_SCHEME.match(item)) or Path(item).is_file() or _in_archive(item) is not None


def got(place: Place, asked: Asked, config: CrawlConfig) -> Got:
    """The answer at a place.

    Raises:
        ConfigError: The place holds no such thing.
        CrawlerError: It cannot be read.
        click.Abort: It was interrupted.
    """
    if isinstance(place, InArchive):
        return _from_archive(place, config)
    if isinstance(place, Path):
        return _from_file(place, asked.url)
    return from_servers([place], asked)[0]


def from_servers(urls: Sequence[str], asked: Asked) -> list[Got]:
    """The answers at some URLs or hosts, by one crawl of them: through robots.txt, pacing and redirects like any other.

    Raises:
        CrawlerError: It failed.
        click.Abort: It was interrupted.
    """
    loaded = configured(asked._replace(overrides=(*asked.overrides, *_ONE_PAGE)), urls[0])
    with tempfile.TemporaryDirectory(prefix="crawler-try-") as folder:
        of_config = loaded.folder if asked.config else None
        directory = CrawlDirectory(Path(folder))
        plan = Plan(config=loaded.config, directory=directory, seeds=tuple(urls), folder=of_config)
        if run_crawl(plan, fresh=False, quiet=True) == INTERRUPTED:
            raise click.Abort
        lines = plan.directory.records(OUTCOMES).read_bytes().splitlines()
        endings = {msgspec.json.decode(line, type=OutcomeRecord).url: line for line in lines}
        captures: dict[str, Capture] = {
            capture.request.url: capture for capture in _captures(directory.path, loaded.config)
        }
    return [_chain(single_seed(url, rules=loaded.config.urls).url, endings, captures) for url in urls]


def _chain(url: str | None, endings: Mapping[str, bytes], captures: Mapping[str, Capture]) -> Got:
    """What a URL came to, over its redirects."""
    passed: list[bytes] = []
    seen: set[str] = set()  # two of the URLs may lead to one another
    while url is not None and url not in seen:
        seen.add(url)
        if url in endings:
            passed.append(endings[url])
        capture = captures.get(url)
        if capture is not None and capture.outcome in (Outcome.FETCHED, Outcome.EXCLUDED):
            return Got(capture.request, capture.response, tuple(passed))
        if capture is None or capture.outcome is not Outcome.REDIRECTED:  # the end of a loop has a target, too
            break
        url = capture.target
    return Got(None, None, tuple(passed))


def _from_file(path: Path, url: str | None) -> Got:
    suffix, is_packed = _suffix(path)
    try:
        body, at = path.read_bytes(), path.stat().st_mtime
        where = canonicalize(url or f"http://localhost/{path.name}")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: expected a page") from error
    except UrlError as error:
        raise ConfigError(f"--url {url}: {error}") from error
    headers = [(b"Content-Type", _TYPES[suffix].encode())] if suffix in _TYPES else []
    if is_packed:
        headers.append((b"Content-Encoding", b"gzip"))
    request = Request(url=where, host_key=host_key(where), scope_host=host(where), seed=str(path))
    return Got(request, Response(url=where, status=200, headers=tuple(headers), body=body, fetched_at=at))


def _from_archive(place: InArchive, config: CrawlConfig) -> Got:
    """Follows redirects that the archive has too. Reads all of it: an archive has no index."""
    wanted = seed_request(single_seed(place.url, rules=config.urls)).url
    plain = wanted.replace("https://", "http://", 1) if not _SCHEME.match(place.url) else wanted
    found: dict[str, Capture] = {}
    redirected: dict[str, str] = {}
    for capture in _captures(place.directory.path, config):
        if capture.outcome is Outcome.REDIRECTED and capture.target:
            redirected[capture.request.url] = capture.target
        if capture.request.url in (wanted, plain):
            found[capture.request.url] = capture
    answer = found.get(wanted) or found.get(plain)
    if answer is None:
        raise ConfigError(f"{place.directory.path}: its archive has no answer for {wanted}")
    if answer.outcome is Outcome.REDIRECTED and answer.target:
        raise ConfigError(
            f"{place.directory.path}: {answer.request.url} was redirected; "
            f"try {place.directory.path}/{_end_of(redirected, answer.target)}"
        )
    if answer.outcome not in (None, Outcome.FETCHED, Outcome.EXCLUDED):
        ending = Finished(
            request=answer.request,
            outcome=answer.outcome,
            reason=answer.reason,
            status=answer.response.status,
            at=answer.response.fetched_at,
        )
        return Got(None, None, (outcome_line(ending),))
    return Got(answer.request, answer.response)


def _end_of(redirected: dict[str, str], url: str) -> str:
    seen: set[str] = set()
    while url in redirected and url not in seen:
        seen.add(url)
        url = redirected[url]
    return url


def _captures(folder: Path, config: CrawlConfig) -> archived.Current:
    """What is in the archive of the crawl in a folder.

    Raises:
        ConfigError: It has none.
    """
    most_bytes = 2 * int(config.fetch.max_body_bytes) + _UNREAD_BYTES
    sources = archived.sources((folder,))
    return archived.Current(Captures(sources, config.urls, most_bytes=most_bytes), sources)


def _in_archive(item: str) -> InArchive | None:
    """``data/first/https://example.org/``, or ``data/first/example.org``; a crawl's directory alone is refused."""
    for slash in re.finditer(r"/+|$", item):
        directory = CrawlDirectory(Path(item[: slash.start()] or "/"))
        if not directory.path.is_dir():
            return None
        if directory.config.is_file() or directory.store.is_file():
            url = item[slash.end() :]
            if not url:
                raise ConfigError(f"{item}: a crawl's directory; expected one of its pages: {item.rstrip('/')}/URL")
            return InArchive(directory, url)
    return None


def _suffix(path: Path) -> tuple[str, bool]:
    """Of its name, ``.gz`` aside, and whether that follows."""
    is_packed = path.suffix.lower() == ".gz"
    return (path.with_suffix("") if is_packed else path).suffix.lower(), is_packed
