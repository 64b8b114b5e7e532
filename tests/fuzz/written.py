"""Which functions read what a user writes: configurations, rules, expressions, seeds, cookies?"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from crawler.cli.out import safe_lines
from crawler.config import ExtractConfig
from crawler.config.expressions import css_problem, jmespath_problem, regex_problem
from crawler.config.file import as_written, dump, loads
from crawler.config.tree import decoded
from crawler.dataset.where import where_of
from crawler.errors import ConfigError
from crawler.export.outcomes import OutcomeRecord
from crawler.extract.amounts import number_of, price_of
from crawler.extract.dates import find_date, parse_date
from crawler.extract.page import Extractor, Settings
from crawler.extract.transforms import compiled
from crawler.extract.value_types import Context, converted
from crawler.fetch.cookies_txt import read_cookies
from crawler.models import Outcome, Page, Response
from crawler.seedfile import MAX_LINE_BYTES
from crawler.seeds import read_seeds
from crawler.units import Duration, Number, Rate, Size
from crawler.url import canonicalize
from tests.fuzz.served import REQUEST, URL
from tests.fuzz.target import Target
from tests.support.rules import resolving

ROOT = Path(__file__).resolve().parents[2]
NAME = "fuzz.yaml"
_PLACE = re.compile(rf"{NAME}(:[0-9]+:[0-9]+)?: |--set [0-9]+: |[0-9]+ mistakes$")
_FOLDER = TemporaryDirectory(prefix="fuzz-")  # removed when the process ends
_FILE = Path(_FOLDER.name) / "file"
_JSON = b'{"a": [{"b": "1"}, {"b": null, "c": [1.5, true]}], "d": "x"}'
_HTML = (ROOT / "docs" / "rules.md").read_bytes()[:6000].split(b"```html\n")[-1].partition(b"```")[0]
_TYPES = ("int", "float", "decimal", "bool", "date", "datetime", "url", "list", "object", "str", None)
CONTEXT = Context(resolving(URL), "de")
RECORDS = [
    OutcomeRecord(
        url=URL, outcome=outcome, reason=reason, status=status, depth=1, via=None, seed="x", attempts=2,
        target=None, at="2024-01-02T03:04:05.000Z",
    )
    for outcome, reason, status in ((Outcome.FAILED, "timeout", None), (Outcome.FAILED, "http_503", 503))
]  # fmt: skip


def told(error: ConfigError) -> None:
    """It must be fit for a terminal, say where, and be no book."""
    lines = str(error).split("\n")
    assert all(line.isprintable() for line in map(safe_lines, lines))
    assert all(map(_PLACE.match, lines)), lines
    assert max(map(len, lines)) < 20_000


def config(data: bytes) -> None:
    read = decoded(data, NAME, [])
    if read is None:
        return
    try:
        loaded = loads(read, NAME)
    except ConfigError as error:
        told(error)
        return
    again = loads(dump(loaded.config), NAME).config
    assert as_written(again) == as_written(loaded.config)


def setting(data: bytes) -> None:
    given = data.decode("utf-8", "surrogateescape").split("\n")
    try:
        loads("name: a\nlimits: {hosts: {a.test: {delay: 1s}}}\n", NAME, given)
    except ConfigError as error:
        told(error)


def rules(data: bytes) -> None:
    text = data.decode("utf-8", "replace").replace("\n", "\n    ")
    try:
        made = loads(f"extract:\n  rules:\n    {text}", NAME).config.extract.rules
    except ConfigError as error:
        told(error)
        return
    apply(made)


def expression(data: bytes) -> None:
    """A first character says of which kind it is."""
    kind, text = data[:1], data[1:].decode("utf-8", "replace")
    match kind:
        case b"c":
            problem, field = css_problem(text), {"css": text, "many": True}
        case b"j":
            problem, field = jmespath_problem(text), {"json": text, "in": "json_ld"}
        case _:
            problem, field = regex_problem(text), {"css": "p", "regex": text}
    if problem is not None:
        assert problem.startswith("expected ")
        return
    with contextlib.suppress(ConfigError):
        rule = [{"name": "r", "fields": {"x": field}}]
        apply(loads(json.dumps({"extract": {"rules": rule}}), NAME).config.extract.rules)


def apply(made) -> None:
    """Rules that may be written give records or rejects of any page."""
    extractor = Extractor(Settings(extract=ExtractConfig(rules=made)))
    for content_type, body in ((b"text/html", _HTML), (b"application/json", _JSON), (b"text/xml", b"<a><b c='d'/></a>")):
        response = Response(url=URL, status=200, headers=((b"content-type", content_type),), body=body)
        result = extractor.page(REQUEST, response)
        assert isinstance(result, Page), result
        assert result == extractor.page(REQUEST, response)
        for _, lines in result.records:
            assert all(isinstance(json.loads(line), dict) for line in lines.split(b"\n"))


def transform(data: bytes) -> None:
    """A line with a transform in YAML, and one with a value in JSON."""
    what, _, value = data.partition(b"\n")
    try:
        given = yaml.safe_load(what)
        of = json.loads(value)
        ((name, args),) = given.items() if isinstance(given, dict) else [(given, None)]
        step = compiled(str(name), args)
    except (ValueError, TypeError, yaml.YAMLError, RecursionError):
        return  # YAML's and JSON's own, and what is wrong with arguments
    for item in (of, "1.024,99 €", ["a", None, 5, {"b": 1}]):
        with contextlib.suppress(ValueError):
            made = step(item, CONTEXT)
            for type_ in _TYPES:
                with contextlib.suppress(ValueError):
                    json.dumps(converted(made, type_, CONTEXT), allow_nan=False)


def amount(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for lang in (None, "de", "en-IN"):
        for read in (number_of, price_of):
            with contextlib.suppress(ValueError):
                read(text, lang)
        for date in (parse_date(text, lang), find_date(text, lang)):
            assert date is None or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?", date), date


def unit(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for kind in (Duration, Size, Rate, Number):
        with contextlib.suppress(ValueError):
            assert kind.parse(str(kind.parse(text))) == kind.parse(text)


def where(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = where_of(text)
    except ConfigError as error:
        assert str(error)
        return
    assert where_of(str(found)) == found
    assert all(isinstance(found.admits(record), bool) for record in RECORDS)


def seeds(data: bytes) -> None:
    """A first character says what the file is called."""
    suffix = {b"j": ".jsonl", b"c": ".csv", b"z": ".txt.gz"}.get(data[:1], ".txt")
    path = _FILE.with_suffix(suffix)
    path.write_bytes(data[1:])
    try:
        found = list(read_seeds([str(path)]))
    except ConfigError as error:
        assert str(path) in str(error)
        return
    for seed in found:
        assert (seed.url is None) is (seed.error is not None)
        assert seed.url is None or canonicalize(seed.url) == seed.url
        assert len(seed.given) <= MAX_LINE_BYTES
        assert seed.place.startswith(str(path))
        json.dumps(seed.metadata, allow_nan=False)
        (seed.given + (seed.error or "")).encode()


def seed_item(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    with contextlib.suppress(ConfigError):
        for seed in read_seeds([text]):
            seed.given.encode()
            assert (seed.url is None) is (seed.error is not None)


def cookies_txt(data: bytes) -> None:
    _FILE.write_bytes(data)
    try:
        read = read_cookies(_FILE)
    except ConfigError as error:
        assert re.match(re.escape(str(_FILE)) + ":[0-9]+: ", str(error))
        assert str(error).isprintable()
        return
    for cookie in read.cookies:
        assert cookie.path.startswith("/")
        assert not set(cookie.name + cookie.value) & set("\r\n\0;")


_YAML = (
    "\\n \\n\\0\\0 : :\\0 -\\0 [ ] { } , & * & &a *a !!str << | > ' \" # --- ... %YAML ? ~ null true no 0 -1 1e999 .inf 012 1_0 "
    "12:30 2024-01-01 \t \ufeff \x00 \x85 \u2028 "
)
WRITTEN = (
    Target(
        "config", config,
        _YAML + "name: seeds: scope: stay_on: include: exclude: max_depth: budget: pages: limits: default: delay: rate: hosts: "
        "'*.a.test' concurrency: robots: fetch: user_agent: headers: auth: cookies: proxy: resolve: allow_addresses: parse: "
        "workers: deadline: extract: text: fields: features: rules: export: files: checkpoint: every: frontier: order: 1s 500ms "
        "10MiB 5/s ${HOME} ${ /[/ * ** domain sqlite 10.0.0.0/8 http://p.test:1",
        (
            (ROOT / "config" / "crawl.yaml").read_bytes(),
            b"name: a\nseeds: [a.test]\nlimits:\n  hosts:\n    '*.a.test': {rate: 5/s}\n  default: {delay: 0}\n",
            b"fetch: {headers: {A: b}, hosts: {a.test: {auth: 'u:${P}', proxy: [http://p.test:1]}}, resolve: {'*.t': 127.0.0.1}}",
        ),
    ),
    Target(
        "setting", setting,
        _YAML + "limits.default.delay= limits.hosts[\"*.a.test\"].rate= fetch.headers.A= seeds= name= . [ ' = 1s 5/s [a.test]",
        (b"limits.default.delay=2s", b"limits.hosts[\"a.test\"].delay=5s\nname=b"),
    ),
    Target(
        "rules", rules,
        _YAML + "name: match: url: css: fields: follow: items: json: in: any: attr: take: many: regex: transform: type: "
        "default: required: const: carried: carry: {price:\\0{locale:\\0de}} [strip] h1 p .a a.b a[0].b text own_text lines html "
        "markdown int price */x json_ld skip: next: kinds: html",
        (
            b"- name: r\n  fields: {title: h1, x: {css: p, many: true, transform: [strip], type: int}}\n",
            b"- name: j\n  items: {json: a}\n  fields: {x: {json: b}}\n",
            *(path.read_bytes() for path in sorted((ROOT / "config" / "rules").glob("*.yaml"))),
        ),
    ),
    Target(
        "expression", expression,
        "c j r p a .b #c [d] [d=e] > + ~ , * :not( :has( :is( :nth-child( 2n+1 of ) ::text :scope :lexbor-contains(\"x\"\\0i) ( ) \\ "
        "\\n a[*].b | || && ! == [?b] `1` 'x' @ & length( sort_by( join( to_number( {a:b} [0:9:-1] .* + ? {1,1000} (?i) (?P<n> \\d \\p{L} ^ $",
        (b"cp > a:not(.b)", b"ja[?b=='1'].c | [0]", b"r(?i)(\\d+)\\s*x"),
    ),
    Target(
        "transform", transform,
        "strip collapse lower title replace: remove: regex: split: prefix: join: slice: index: unique compact flatten length "
        "default: number price date bool scale: url_part: json absolute html_unescape strip_html url_decode { } [ ] , \\0 : \" ' "
        "a 1 -1 1e999 1e400 0.1 null true \\n locale: de currency: USD format: \"%Y\" &#xd800; %ff \u0661 \u20ac 99999999999999999999999",
        (b"{replace: [a, b]}\n\"abc\"", b"{price: {locale: de}}\n\"1.024,99 \xe2\x82\xac\"", b"{slice: [1, -1]}\n[1, 2, 3]"),
    ),
    Target(
        "amount", amount,
        "1 12 1.024,99 1,024.99 1'024 5\u4e07 1.2k 3\\0Mio. USD $ \u20ac % - \u2212 . , \\0 \xa0 2024 01 02 Jan Mai \u6708 \u5e74 \u65e5 T10:20:30Z "
        "+01:00 th st / 31 99 of um Uhr PM 1/2/03 \u0661 EUR/ kr 9999999999",
        ("ab 1.024,99 €".encode(), b"2 January 2024, 10:20 PM", "2024年1月2日".encode(), b"1/2/03"),
    ),
    Target("unit", unit, "1 0.5 .5 -1 1e9 s ms m h d B KiB MiB MB /s /min /h \\0 \u0661 inf nan _ , 9999999999999", (b"1.5m", b"10MiB", b"5/s")),
    Target(
        "where", where,
        "reason= status!= url= host= outcome= depth= and or \\0 ' \" \\ * ? | timeout failed 503 = ! \\n via= seed= attempts= \xe9 \x00",
        (b"reason=timeout|connect host=*.example.org", b"status!=503 and url='*a b*'"),
    ),
    Target(
        "seeds", seeds,
        "t j c z https://a.test/ a.test sitemap: # , \" { } {\"url\": \"a.test\" \"x\":1 [ ] url \\n \r \x00 \ufeff \xe9 user:p@ : / .. ../x -",
        (b"thttps://a.test/\n# b\nsitemap:c.test\n", b"j{\"url\": \"a.test\", \"x\": 1}\n", b"curl,x\na.test,1\n\"b.test\",\"\n"),
    ),
    Target("seed_item", seed_item, "https:// http: sitemap: a.test : / @ - . .. ~ \\ .txt .csv \x00 \xe9 \\n \\0 [::1] localhost", (b"a.test:8080/x",)),
    Target(
        "cookies_txt", cookies_txt,
        "\\n \t TRUE FALSE a.test .a.test / 0 1700000000 # #HttpOnly_ name value ; \r \x00 \xe9 *. :80 -1 1e9 [::1]",
        (b"# Netscape\n.a.test\tTRUE\t/\tFALSE\t0\tn\tv\n#HttpOnly_b.test\tFALSE\t/\tTRUE\t1700000000\tn\t\n",),
    ),
)  # fmt: skip
"""Which functions read it, and what else must hold."""
