"""Where does a crawl start? Reads a seed list, streamed: a file may hold millions of seeds.

Each item of the list is one of

- ``scheme://…``: a URL.
- ``sitemap:`` and a URL or host: a sitemap or feed, whose entries are crawled; without a path, ``/sitemap.xml``.
- ``-``: standard input, read like a ``.txt`` file.
- an existing path: a file, by its name
    - ``.jsonl``: an object a line; its field ``url`` is the seed, the others are its metadata.
    - ``.csv``: a header row, of which one column is called ``url`` in any letter case; the others are metadata.
    - ``.yaml``, ``.yml``: refused, as it must be a configuration.
    - any other: a seed a line; lines that begin with ``#`` are comments (elsewhere it is part of a URL).
- anything else: a host with or without port and path, tried as https (``example.org:8080/a``).

``.gz`` may follow any name; files are read by `seedfile`. What stands in one is a URL, a host or a sitemap, never
another file. A bad line becomes a `Seed` with an `error`, and reading goes on; an item that names no readable file is a
`ConfigError`. Which seeds are in scope or repeated is left to others.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.config.logins import LOGIN_PROBLEM, has_login, without_login
from crawler.errors import ConfigError, UrlError
from crawler.models import NORMAL_PRIORITY, SITEMAP_PRIORITY, Kind, Request, Url
from crawler.seedfile import as_utf8, file_rows, shown, stream_rows
from crawler.url import STANDARD, canonicalize, host, host_key, path_and_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from crawler.config import UrlsConfig
    from crawler.models import HostKey
    from crawler.seedfile import Row

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SITEMAP = re.compile(r"sitemap:\s*", re.IGNORECASE)  # as a line of robots.txt begins
_FILE_NAME = re.compile(r"\.(?:txt|csv|jsonl)(?:\.gz)?$", re.IGNORECASE)
_CONFIG_NAME = re.compile(r"\.ya?ml$", re.IGNORECASE)
_MISSPELT = re.compile(r"([A-Za-z]{3,6})(?::/{0,3}|/{2})([^/@\\s]\S*)")
_PATH_START = re.compile(r"[./~]|[^.:\[]*/")


class Seed(msgspec.Struct, frozen=True, kw_only=True, tag="seed"):
    """One line of the seed list, good (`url`) or bad (`error`)."""

    #: as written, bytes that are not UTF-8 escaped (``\\xff``); a line that is too long is cut and ends in an ellipsis
    given: str
    url: Url | None = None
    #: a page or a sitemap
    kind: Kind = Kind.PAGE
    #: what is wrong with it
    error: str | None = None
    #: the other fields of its JSONL object or CSV row
    metadata: dict[str, object] = {}
    #: ``seeds.txt:12``, ``<stdin>:3`` or ``argument 1``
    place: str


def read_seeds(
    items: Sequence[str], *, rules: UrlsConfig = STANDARD, stdin: Path | BinaryIO | None = None, first: int = 1
) -> Iterator[Seed]:
    """All seeds of `items`, in order.

    Args:
        items: As on the command line.
        rules: How their URLs are made canonical.
        stdin: What ``-`` reads: a stream, read once and left open, or a file that holds what came in.
        first: The number of the first item, for the places of seeds.

    Raises:
        ConfigError: At once for an item that names no file or is not supported; while iterating for a file that
            cannot be read to its end or is a CSV file without a ``url`` column.
    """
    return chain.from_iterable(
        [_item_seeds(item.strip(), f"argument {number}", rules, stdin) for number, item in enumerate(items, first)]
    )


def single_seed(item: str, *, rules: UrlsConfig = STANDARD) -> Seed:
    """The seed that `item` is: a URL or a host, never a list of them, nor a sitemap.

    Raises:
        ConfigError: It is anything else.
    """
    item, place = item.strip(), "argument 1"
    if item == "-" or names_sitemap(item) or _seed_file(item, place):
        raise ConfigError(f"{item!r} is a list of seeds; expected one URL or host")
    seed = _seed(item, place, rules)
    if seed.url is None:
        raise ConfigError(f"{seed.error}; expected one URL or host")
    return seed


def seed_request(seed: Seed) -> Request:
    """The request a good seed starts with.

    Raises:
        UrlError: If the seed is a bad one.
    """
    if seed.url is None:
        raise UrlError(f"{seed.place}: {seed.error}")
    return Request(
        url=seed.url,
        host_key=host_key(seed.url),
        scope_host=host(seed.url),
        seed=seed.given,
        kind=seed.kind,
        priority=SITEMAP_PRIORITY if seed.kind is Kind.SITEMAP else NORMAL_PRIORITY,
    )


def names_sitemap(given: str) -> bool:
    """Whether a seed as written is a sitemap."""
    return _SITEMAP.match(given) is not None


def bare_seed(given: str) -> str:
    """The URL or host of a seed as written, whichever kind it is of."""
    found = _SITEMAP.match(given)
    return given[found.end() :] if found else given


def seed_host(given: str) -> HostKey | None:
    """The host of a seed as written; None if it is a bad one."""
    with suppress(UrlError):
        return host_key(_url(bare_seed(given), STANDARD))
    return None


def _item_seeds(item: str, place: str, rules: UrlsConfig, stdin: Path | BinaryIO | None) -> Iterable[Seed]:
    """The seeds of one item; files are opened when iteration reaches them."""
    if has_login(item):
        raise ConfigError(f"{place}: {LOGIN_PROBLEM}")  # unquoted: messages are kept
    if item == "-":
        if stdin is None:
            raise ConfigError("the seed list '-' needs standard input, and there is none")
        return _seeds(stream_rows(stdin, "<stdin>"), rules)
    path = _seed_file(item, place)
    return _seeds(file_rows(path), rules) if path else [_seed(item, place, rules)]


def _seed_file(item: str, place: str) -> Path | None:
    """The file that an item names, None for what must be a URL or a host; a `ConfigError` if it can be neither."""
    if not item:
        raise ConfigError(f"{place} is an empty seed; expected a URL, a host or a file")
    if _SCHEME.match(item) or names_sitemap(item):
        return None
    for_a_url = f"for a URL write {likely_url(item) or 'https://' + item.lstrip('./')}"
    if _CONFIG_NAME.search(item):
        raise ConfigError(f"{item} is a configuration: crawler crawl -c {shlex.quote(item)}; {for_a_url}")
    path = Path(item)
    with suppress(OSError):  # no permission to look, or longer than a path may be
        if path.is_dir():
            raise ConfigError(f"seed {item!r} is a directory; expected a file, or the host: https://{item.strip('./')}")
        if path.is_block_device() or (path.is_char_device() and not _ends(path)):
            raise ConfigError(f"seed {item!r} is a device; expected a file")
        if path.exists():
            return path
    if _FILE_NAME.search(item) or "\\" in item or (_PATH_START.match(item) and not item.startswith("localhost/")):
        near = likely_file(path)
        raise ConfigError(f"seed file {item!r} does not exist; {f'did you mean {near}?' if near else for_a_url}")
    return None


def likely_url(given: str) -> str | None:
    """The URL that somebody meant whose scheme is misspelt: ``htp://a.org``, ``https:a.org``, ``http//a.org``."""
    found = _MISSPELT.fullmatch(given)
    if found is None:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - few are mistaken

    likely = get_close_matches(found[1].lower(), ("https", "http"), 1, 0.7)
    return f"{likely[0]}://{found[2]}" if likely else None


def likely_file(path: Path) -> Path | None:
    """The seed file, beside one that is not there, whose name is most like it."""
    from difflib import get_close_matches  # noqa: PLC0415

    names: list[str] = []
    with suppress(OSError, ValueError):  # ValueError: a NUL, which no path may hold
        names = [each.name for each in path.parent.iterdir() if _FILE_NAME.search(each.name)]
    near = get_close_matches(path.name, names, 1, 0.7)
    return path.with_name(near[0]) if near else None


def _ends(device: Path) -> bool:
    """Whether what a character device yields has an end: a terminal, or nothing at all. It is not opened to find out:
    some begin something when they are."""
    number = device.stat().st_rdev
    terminals = (os.fstat(stream).st_rdev for stream in range(3) if os.isatty(stream))
    return number == Path(os.devnull).stat().st_rdev or number in terminals


def _seeds(rows: Iterator[Row], rules: UrlsConfig) -> Iterator[Seed]:
    for row in rows:
        if row.error:
            yield Seed(given=row.text, error=row.error, place=row.place)
        else:
            yield _seed(row.text, row.place, rules, row.metadata)


def _seed(given: str, place: str, rules: UrlsConfig, metadata: dict[str, object] | None = None) -> Seed:
    if has_login(given):
        return Seed(given=as_utf8(without_login(given)), error=LOGIN_PROBLEM, metadata=metadata or {}, place=place)
    kind = Kind.SITEMAP if names_sitemap(given) else Kind.PAGE
    url = error = None
    try:
        url = _url(given, rules) if kind is Kind.PAGE else _sitemap_url(bare_seed(given), rules)
    except UrlError as failure:
        error = str(failure)
    return Seed(given=as_utf8(given), url=url, kind=kind, error=error, metadata=metadata or {}, place=place)


def _sitemap_url(given: str, rules: UrlsConfig) -> Url:
    """Of a sitemap's URL, or of a host, whose sitemap is where most are."""
    url = _url(given, rules)
    return canonicalize(f"{url}sitemap.xml") if path_and_query(url) == "/" else url


def _url(given: str, rules: UrlsConfig) -> Url:
    """Of a URL, or of a host tried as https."""
    if _SCHEME.match(given):
        return canonicalize(given, rules)
    if not set(re.split("[/?#]", given, maxsplit=1)[0]) & set("@\\"):
        with suppress(UrlError):  # which would name what nobody has written
            return canonicalize(f"https://{given}", rules)
    raise UrlError(f"{shown(given)!r} is neither a URL nor a host")
