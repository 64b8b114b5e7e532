"""Which functions read or write what is kept: archives, frames between processes, states in crawl.db, tables?"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from selectolax.lexbor import LexborHTMLParser
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import compose, http
from crawler.archive.captures import Captures, Source
from crawler.archive.entry import Entry
from crawler.cli.out import safe_json, safe_lines
from crawler.clock import SystemClock
from crawler.config import FetchConfig, TrapsConfig
from crawler.dataset.cells import Rows, columns_of, is_formula
from crawler.errors import CrawlerError
from crawler.extract.json_ld import json_ld
from crawler.extract.json_value import assigned_value, json_value
from crawler.extract.xml_value import xml_value
from crawler.fetch.cookies import Cookies
from crawler.models import Outcome, Response
from crawler.parse.framing import decode_results
from crawler.rule_health import RuleHealth
from crawler.traps.detector import Traps
from crawler.wording import printable
from tests.fuzz.served import REQUEST, URL, text_of
from tests.fuzz.target import Target

_FOLDER = TemporaryDirectory(prefix="fuzz-")  # removed when the process ends
_FILE = Path(_FOLDER.name) / "a.warc.gz"
_CONTROL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_DEEP = 60


def archived(data: bytes) -> None:
    """A head, and after an empty line a body, are stored and read back, by others' tools too."""
    head, _, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    headers = tuple(
        (name.strip(b"\r :"), value.strip(b"\r ")) for name, _, value in (line.partition(b":") for line in lines)
    )
    headers = tuple((name.replace(b"\0", b""), value.replace(b"\0", b"")) for name, value in headers if name)
    response = Response(
        url=URL, status=200, headers=headers, body=body, fetched_at=1.7e9, status_line=b"HTTP/1.1 200 OK"
    )
    entry = Entry(
        request=REQUEST,
        response=response,
        outcome=Outcome.FETCHED,
        reason=text_of(head)[:9].encode("utf-8", "replace").decode(),
    )
    made = compose.compose(entry, compose.payload_digest(response), None)
    records = [
        (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.raw_stream.read())
        for record in ArchiveIterator(io.BytesIO(b"".join(made.members)), no_record_parse=True)
    ]
    assert [kind for kind, _, _ in records] == ["response", "metadata"]
    assert {uri for _, uri, _ in records} == {URL}
    assert records[0][2].endswith(b"\r\n\r\n" + body)
    _FILE.write_bytes(b"".join(made.members))
    (capture,) = Captures([Source(_FILE)])
    assert capture.request.url == URL


def archive(data: bytes) -> None:
    """Any file: packed, plain, or neither."""
    _FILE.write_bytes(gzip.compress(data[1:], 1, mtime=0) if data[:1] == b"z" else data[1:])
    captures = Captures([Source(_FILE)], most_bytes=10_000)
    with contextlib.suppress(CrawlerError):
        for capture in captures:
            assert len(capture.response.body) <= 10_000


def message(data: bytes) -> None:
    found = http.parse(data)
    if found is not None:
        assert 0 <= found.status <= 999
        http.believable(found)


def frame(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_results(memoryview(data))


def state(data: bytes) -> None:
    """What crawl.db may hold under the names of parts that keep a state."""
    with contextlib.suppress(ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError):
        Cookies(FetchConfig(cookies=True), SystemClock()).restore(data)
    with contextlib.suppress(ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError):
        health = RuleHealth([])
        health.restore(data)
        health.account()
    with contextlib.suppress(ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError):
        Traps(TrapsConfig(), SystemClock()).restore(data)


def json_text(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (json_value, lambda given: assigned_value(given, "a")):
        with contextlib.suppress(ValueError):
            json.dumps(read(text), allow_nan=False).encode()
    found = json_ld(LexborHTMLParser(f"<script type=application/ld+json>{text}</script>"))
    msgspec.json.encode(found.values)


def xml_text(data: bytes) -> None:
    value, problem = xml_value(data.decode("utf-8", "replace").encode())
    assert value is not None or problem
    msgspec.json.encode(value)


def table(data: bytes) -> None:
    """Each line a record: as a table, cells are what they were, and no formulas."""
    lines = [line for line in data.split(b"\n") if line]
    try:
        columns = columns_of(lines, Path("r.jsonl"))
    except CrawlerError:
        return
    rows = Rows(columns.names)
    text = b"\n".join([rows.header(), *rows.rows(lines), b""]).decode()
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if columns.names:
        assert [len(row) for row in read] == [len(columns.names)] * (len(lines) + 1)
        texts = {cell for row in read for cell in row}
        strings = {value for line in lines for value in json.loads(line).values() if isinstance(value, str)}
        assert not {cell for cell in texts & strings if is_formula(cell)}


def terminal(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert not _CONTROL.search(safe_lines(text))
    assert "\n" not in printable(text, 50)
    assert len(printable(text, 50)) <= 50
    with contextlib.suppress(ValueError):
        json_bytes = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
        assert json.loads(safe_json(json_bytes)) == text
        assert not _CONTROL.search(safe_json(json_bytes).decode())


KEPT = (
    Target("archived", archived),
    Target("archive", archive),
    Target("message", message),
    Target("frame", frame),
    Target("state", state),
    Target("json_text", json_text),
    Target("xml_text", xml_text),
    Target("table", table),
    Target("terminal", terminal),
)
"""Which functions they are, and what else must hold."""
