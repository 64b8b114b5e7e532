"""Which sites make up pages without end, and which only look like it? Each a host, computed from the path alone.

Every host of `TRAPS` has `REAL` pages of substance besides its trap, at ``/real/N``, and a link into the trap on each.
The hosts of `LEGITIMATE` are finite.
"""

from __future__ import annotations

import datetime
import random
import zlib
from urllib.parse import parse_qsl, urlencode

from tests.support.web import Reply

REAL = 40
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_WORDS = [
    "".join(random.Random(n).choice("bcdfghklmnprstvwz") + random.Random(n + 7).choice("aeiou") for _ in range(1))
    + random.Random(n * 31).choice(["lan", "ter", "mor", "dis", "pel", "gor", "fin", "sut"])
    + random.Random(n * 17).choice(["da", "ke", "li", "no", "pu", "ra", "so", "ty"])
    for n in range(3_000)
]
_BOILERPLATE = " ".join(_WORDS[n] for n in range(180))


def words(key: str, n: int = 40) -> str:
    """Text that is the same for the same key, and for no other."""
    source = random.Random(zlib.crc32(key.encode()))
    return " ".join(source.choice(_WORDS) for _ in range(n))


def html(title: str, text: str, links: list[str]) -> Reply:
    """A page with boilerplate."""
    items = "".join(f'<li><a href="{link.replace("&", "&amp;")}">{text[:0]}more</a></li>' for link in links)
    body = (
        f"<!doctype html><title>{title}</title><nav>{_BOILERPLATE}</nav><h1>{title}</h1><p>{text}</p><ul>{items}</ul>"
    )
    return Reply(200, _HTML, body.encode())


def fresh(key: str) -> str:
    """An id as servers make them up, another one at each call."""
    fresh.n += 1
    return f"{random.Random(f'{key}{fresh.n}').getrandbits(64):016x}"


fresh.n = 0


class Endless:
    """Serves all of them: the first label of the host is the name of a site."""

    def respond(self, host: str, path: str, visit: int = 1) -> Reply:
        """The answer of `host`."""
        if path.startswith("/robots.txt"):
            return Reply(404)
        name = host.split(":", maxsplit=1)[0].removesuffix(".test").rpartition(".")[2].replace("-", "_")
        if name in TRAPS:
            return _trap(name, host, path)
        return LEGITIMATE[name](path)


def _trap(name: str, host: str, path: str) -> Reply:
    entry, page = TRAPS[name]
    if name in ("session_query", "session_path", "mirrors"):
        return page(path, host)
    if path == "/" or path.startswith("/real/"):
        n = 0 if path == "/" else int(path.removeprefix("/real/"))
        links = [f"/real/{m}" for m in (2 * n + 1, 2 * n + 2) if m < REAL]
        return html(f"Real {path}", words(host + path), ["/", *links, entry])
    return page(path, host)


def calendar(path: str, host: str) -> Reply:
    """A month a page, and a page a day of it, for ever."""
    parts = [int(part) for part in path.split("/")[2:]]
    day = datetime.date(parts[0], parts[1], 1)
    if len(parts) == 3:
        return html(
            f"{parts[2]} {day:%B} {day.year}", "Nothing on this day.", ["/", f"/calendar/{day.year}/{day.month}"]
        )
    months = [_moved(day, -1), _moved(day, 1)]
    links = [f"/calendar/{month.year}/{month.month}" for month in months]
    days = [f"/calendar/{day.year}/{day.month}/{n}" for n in (1, 8, 15, 22)]
    return html(f"{day:%B} {day.year}", f"No events in {day:%B}. Mo Tu We Th Fr Sa Su 1 2 3", ["/", *links, *days])


def calendar_query(path: str, host: str) -> Reply:
    """A week a page, with a form for events of each day."""
    asked = dict(parse_qsl(path.partition("?")[2]))
    day = datetime.date.fromisoformat(asked["date"])
    if path.startswith("/add"):
        return html("New event", f"Add an event on {day:%A %d %B %Y}", ["/", f"/week?date={day}"])
    links = [f"/week?date={day + datetime.timedelta(days=n)}" for n in (-7, 7)]
    return html(f"Week of {day:%d %B %Y}", "Nothing planned.", ["/", *links, f"/add?date={day}"])


def _moved(day: datetime.date, months: int) -> datetime.date:
    index = day.year * 12 + day.month - 1 + months
    return datetime.date(max(1, min(9999, index // 12)), index % 12 + 1, 1)


def session_query(path: str, host: str) -> Reply:
    """A site whose every link has a new session id in its query."""
    n = _number(path.partition("?")[0])
    links = [f"/real/{m}?sid={fresh(path)}" for m in {0, n // 2, (n * 7) % REAL, 2 * n + 1, 2 * n + 2} if m < REAL]
    return html(f"Real {n}", words(f"{host}{n}"), links)


def session_path(path: str, host: str) -> Reply:
    """The same, in the path."""
    n = _number("/" + path.partition("/real")[1].strip("/") + path.partition("/real")[2]) if "/real" in path else 0
    links = [f"/s/{fresh(path)}/real/{m}" for m in {0, n // 2, (n * 7) % REAL, 2 * n + 1, 2 * n + 2} if m < REAL]
    return html(f"Real {n}", words(f"{host}{n}"), links)


def _number(path: str) -> int:
    last = path.rstrip("/").rpartition("/")[2]
    return int(last) if last.isdigit() else 0


def repeating(path: str, host: str) -> Reply:
    """Relative links that the server takes for what they are not: /a/b/a/b/a/b."""
    return html("Products", "All our products: " + words("products"), ["/", "products/", "service/"])


def deeper(path: str, host: str) -> Reply:
    """Each page leads to one below it, and says how deep it is."""
    depth = path.strip("/").count("/")
    name = _WORDS[zlib.crc32(path.encode()) % 3_000]
    return html(f"Level {depth}", f"You are {depth} levels deep.", ["/", f"{name}/", f"{name}x/"])


def facets(path: str, host: str) -> Reply:
    """Eight choices of five values each, over thirty items."""
    asked = dict(parse_qsl(path.partition("?")[2]))
    if path.startswith("/item/"):
        return html(f"Item {path}", words(f"{host}{path}"), ["/"])
    chosen = zlib.crc32(str(sorted(asked.items())).encode())
    items = [f"/item/{(chosen + k) % 30}" for k in range(3)] if len(asked) < 3 else []
    links = ["/filter?" + urlencode(asked | {f"f{k}": f"v{v}"}) for k in range(8) for v in range(5)]
    told = ", ".join(f"{key} {value}" for key, value in sorted(asked.items()))
    return html(f"Filter {told}", f"Chosen: {told}. {len(items)} items.", ["/", *items, *links])


def soft_404(path: str, host: str) -> Reply:
    """Whatever is asked for is not there, with status 200 and links to more that is not."""
    source = random.Random(zlib.crc32(path.encode()))
    links = ["/" + "/".join(source.choice(_WORDS) for _ in range(source.randint(1, 3))) for _ in range(3)]
    return html("Not found", f"Sorry, {path} is not here. Try these.", ["/", *links])


def pagination(path: str, host: str) -> Reply:
    """A list of ten pages that goes on empty."""
    asked = dict(parse_qsl(path.partition("?")[2]))
    page = int(asked.get("page", 1))
    items = [f"/item/{page * 10 + k}" for k in range(10)] if page <= 10 else []
    if path.startswith("/item/"):
        return html(f"Item {path}", words(f"{host}{path}"), ["/"])
    return html(f"List, page {page}", f"Page {page}. {len(items)} items.", ["/", *items, f"/list?page={page + 1}"])


def pagination_path(path: str, host: str) -> Reply:
    """The same ten items on every page."""
    page = _number(path)
    return html(f"List, page {page}", words("list"), ["/", f"/list/page/{page + 1}", f"/list/page/{page + 2}"])


def mirrors(path: str, host: str) -> Reply:
    """Any name under the domain is the same site of ten pages, and leads to two more names."""
    n = _number(path)
    first = host.removesuffix(".mirrors.test")
    k = int(first[1:]) if first[0] == "m" and first[1:].isdigit() else 0
    others = [f"http://m{2 * k + j}.mirrors.test/" for j in (1, 2)]
    links = [f"http://{host}/real/{m}" for m in (2 * n + 1, 2 * n + 2) if m < 10]
    return html(f"Real {n}", words(f"mirrored {n}") + f" served by {host}", [*links, *others])


TRAPS = {
    "calendar": ("/calendar/2026/11", calendar),
    "calendar_query": ("/week?date=2026-11-02", calendar_query),
    "session_query": ("/", session_query),
    "session_path": ("/", session_path),
    "repeating": ("/shop/products/", repeating),
    "deeper": ("/deep/", deeper),
    "facets": ("/filter?f0=v0&f1=v0", facets),
    "soft_404": ("/gone/for/ever", soft_404),
    "pagination": ("/list?page=1", pagination),
    "pagination_path": ("/list/page/1", pagination_path),
    "mirrors": ("/", mirrors),
}
"""Name of the host -> where its trap begins, and what is there."""


def catalogue(path: str) -> Reply:
    """Products with numeric ids, listed fifty a page, each with related ones; nine words in ten are the shop's."""
    if path.startswith("/product/"):
        n = _number(path)
        related = [f"/product/{(n * 7 + k) % CATALOGUE}" for k in range(1, 4)]
        return html(f"Product {n}", f"{words(f'product {n}', 20)} Price {n % 97}.{n % 89}", ["/", *related])
    page = 0 if path == "/" else int(path.partition("=")[2])
    items = [f"/product/{n}" for n in range(page * PER_LIST, min((page + 1) * PER_LIST, CATALOGUE))]
    following = [f"/list?page={page + 1}"] if (page + 1) * PER_LIST < CATALOGUE else []
    return html(f"Products, page {page}", "Our products", [*items, *following])


def plain_catalogue(path: str) -> Reply:
    """The same, with nothing but numbers to tell products apart, and each with the next one."""
    if path.startswith("/product/"):
        n = _number(path)
        text = f"Product {n}. Price {n * 7 % 9973}. In stock: {n * 3 % 101}."
        return html(f"Product {n}", text, ["/", *[f"/product/{m}" for m in (n + 1, n + 2) if m < CATALOGUE]])
    return catalogue(path)


def forum(path: str) -> Reply:
    """Threads of up to thirty pages, posts with numbers."""
    name, _, query = path.partition("?")
    if name.startswith("/thread/"):
        thread, page = _number(name), int(dict(parse_qsl(query)).get("page", 1))
        more = [f"{name}?page={page + 1}"] if page < thread % 30 else []
        return html(f"Thread {thread}", words(f"thread {thread} {page}"), ["/", *more])
    n = int(dict(parse_qsl(query)).get("page", 1))
    more = [f"/?page={n + 1}"] if n < 8 else []
    return html(f"Forum, page {n}", "Threads", [*[f"/thread/{n * 10 + k}" for k in range(10)], *more])


def archive(path: str) -> Reply:
    """Four years of a page a day, each leading to the next; on two days of three nothing happened."""
    day = datetime.date(2006, 1, 1) if path == "/" else datetime.date(*map(int, path.split("/")[1:4]))
    after = day + datetime.timedelta(days=1)
    text = words(path) if day.toordinal() % 3 == 0 else "Nothing happened."
    return html(f"{day:%d %B %Y}", text, ["/", f"/{after:%Y/%m/%d}"] if after.year < 2010 else ["/"])


def choices(path: str) -> Reply:
    """Three filters of five values each, every combination with a text of its own."""
    asked = dict(parse_qsl(path.partition("?")[2]))
    links = ["/?" + urlencode(asked | {f"f{k}": f"v{v}"}) for k in range(3) for v in range(5)]
    return html("Choose", words(str(sorted(asked.items()))), links)


def versions(path: str) -> Reply:
    """Thirty versions of a manual of forty pages, the same word for word."""
    parts = path.strip("/").split("/")
    if path == "/":
        return html("Manual", "All versions", [f"/{v}.0/0.html" for v in range(30)])
    n = int(parts[1].removesuffix(".html"))
    links = [f"/{parts[0]}/{m}.html" for m in (2 * n + 1, 2 * n + 2) if m < 40]
    return html(f"Chapter {n}", words(f"chapter {n}"), ["/", *links])


def translations(path: str) -> Reply:
    """Thirty languages of forty pages, most of them not translated."""
    lang = dict(parse_qsl(path.partition("?")[2])).get("lang", "0")
    n = _number(path.partition("?")[0])
    text = words(f"page {n} {lang if n % 10 == 0 else ''}")
    links = [f"/page/{m}?lang={lang}" for m in (2 * n + 1, 2 * n + 2) if m < 40]
    return html(f"Page {n}", text, [*links, *[f"/page/{n}?lang={other}" for other in range(30)]])


def reviews(path: str) -> Reply:
    """Three hundred products, each with a page of reviews that says there are none."""
    parts = path.strip("/").split("/")
    if path == "/" or parts[0] == "list":
        page = 0 if path == "/" else int(parts[1])
        more = [f"/list/{page + 1}"] if page < 5 else []
        return html(f"List {page}", "List", [*[f"/item/{page * 50 + k}" for k in range(50)], *more])
    if parts[-1] == "reviews":
        return html("Reviews", "No reviews yet.", ["/"])
    return html(f"Item {parts[1]}", words(path), ["/", f"{path}/reviews"])


CATALOGUE, PER_LIST = 50_000, 50
LEGITIMATE = {
    "catalogue": catalogue,
    "plain_catalogue": plain_catalogue,
    "forum": forum,
    "archive": archive,
    "choices": choices,
    "versions": versions,
    "translations": translations,
    "reviews": reviews,
}
"""Name of the host -> what is there."""
