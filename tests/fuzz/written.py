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
    for content_type, body in (
        (b"text/html", _HTML),
        (b"application/json", _JSON),
        (b"text/xml", b"<a><b c='d'/></a>"),
    ):
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
        given = yaml.load(what, yaml.CSafeLoader)
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


WRITTEN = (
    Target("config", config),
    Target("setting", setting),
    Target("rules", rules),
    Target("expression", expression),
    Target("transform", transform),
    Target("amount", amount),
    Target("unit", unit),
    Target("where", where),
    Target("seeds", seeds),
    Target("seed_item", seed_item),
    Target("cookies_txt", cookies_txt),
)
"""Which functions they are, and what else must hold."""
