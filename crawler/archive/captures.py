"""Which answers do some WARC files hold, in a form in which they can be extracted again?

A `Capture` is made of a ``response`` record (or a ``resource`` with an http URL), or of a ``revisit`` and the payload
that it refers to, which is looked for in all of the files. Our own archives say in a ``metadata`` record of each answer
where its URL came from; others' tell that at best in part (``via``, ``hopsFromSeed``), and without it an answer counts
as a seed's. Records of other kinds, and answers whose URL is none of http or https, are passed over and counted. So are
those which only say that a URL is as it was before: the answer of then is the one to extract.

Memory does not grow with the files: what has been seen of payloads is in a private temporary database.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from crawler.archive import http
from crawler.archive.compose import UNDONE, Provenance, seconds_of
from crawler.archive.payloads import Payloads
from crawler.archive.records import Record, Records
from crawler.errors import UrlError
from crawler.models import Kind, Outcome, Request, Response
from crawler.url import STANDARD, canonicalize, host, host_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.config import UrlsConfig

UNCHANGED = "answer that is as it was before"
MADE_ANEW = "answer that another worker was given, too, and that does not count"
_NOT_MODIFIED = re.compile(r"http://netpreserve\.org/warc/1\.[01]/(?:revisit/)?server-not-modified")
_TRUNCATED_MARKS = ("length", "time", "disconnect", "unspecified")


class Source(NamedTuple):
    """A file to be read."""

    path: Path
    end: int | None = None  #: where to stop; None: at its end
    #: of a file that earlier generations of a crawl have made: the store of the one that has it now
    carried_to: Path | None = None
    #: numbers of answers, from 0 in the first of the files that have the same `part`, that are not to be read
    stale: frozenset[int] = frozenset()
    part: str = ""


class Capture(NamedTuple):
    """One answer, with the request it came to."""

    request: Request
    response: Response
    #: how the URL ended in the crawl that wrote the archive, if that says so
    outcome: Outcome | None = None
    reason: str | None = None
    target: str | None = None
    #: which of the sources it is from
    source: int = 0


class _Held(NamedTuple):
    """An answer whose metadata may be still to come."""

    record: Record
    source: int
    fields: dict[bytes, bytes]  #: of its metadata record, by name


class Captures:
    """The answers in some files, in their order; those that could be resolved late come last. Iterate over it once.

    Args:
        sources: The files.
        rules: How URLs are canonicalised.
        most_bytes: Answers larger than this are read no further, and marked as cut.
    """

    def __init__(self, sources: Sequence[Source], rules: UrlsConfig = STANDARD, *, most_bytes: int = 64 << 20) -> None:
        self._sources = sources
        self._rules = rules
        self._most_bytes = most_bytes
        #: records passed over, by why: ``unresolved revisit``, ``not HTTP``, ``bad URL``, …
        self.passed_over: Counter[str] = Counter()
        #: file and byte of each record that is not whole, at the end of its file
        self.torn: list[tuple[Path, int]] = []

    def __iter__(self) -> Iterator[Capture]:
        """Each answer.

        Raises:
            CrawlerError: A file cannot be read, or holds what is no record.
        """
        passed: Counter[str] = Counter()  # answers, by part
        with closing(Payloads()) as payloads:
            for number, source in enumerate(self._sources):
                for place, held in enumerate(self._answers(number, source), passed[source.part]):
                    passed[source.part] = place + 1
                    if place in source.stale:
                        self._pass_over(held, payloads)
                    else:
                        yield from self._captures(held, payloads)
            for number, start, skip in payloads.late():
                records = Records(self._sources[number].path, start=start, skip=skip, most_bytes=self._most_bytes)
                for held in islice(self._grouped(number, records), 1):
                    yield from self._captures(held, payloads, is_last=True)

    def _answers(self, number: int, source: Source) -> Iterator[_Held]:
        records = Records(source.path, end=source.end, most_bytes=self._most_bytes)
        yield from self._grouped(number, records)
        if records.torn is not None:
            self.torn.append((source.path, records.torn))

    def _grouped(self, number: int, records: Records) -> Iterator[_Held]:
        """Answers with their metadata records, which directly follow them, requests aside."""
        held: _Held | None = None
        for record in records:
            match record.kind:
                case "response" | "revisit" | "resource":
                    if held:
                        yield held
                    held = _Held(record, number, {})
                case "metadata" if held and _belongs(record, held.record):
                    held = held._replace(fields=_warc_fields(record.block))
                case "request" | "metadata" | "warcinfo":
                    pass
                case kind:
                    self.passed_over[f"{kind[:40] or 'untyped'} record"] += 1
        if held:
            yield held

    def _pass_over(self, held: _Held, payloads: Payloads) -> None:
        """An answer that does not count; others may refer to its payload."""
        self.passed_over[MADE_ANEW] += 1
        if held.record.kind != "revisit":
            payloads.add(held.record, held.source)

    def _captures(self, held: _Held, payloads: Payloads, *, is_last: bool = False) -> Iterator[Capture]:
        """The answer as a capture; none if it has to be passed over, or waits for its payload."""
        record = held.record
        if record.uri[:7].lower() != "http://" and record.uri[:8].lower() != "https://":
            self.passed_over["not HTTP"] += 1
            return
        own = _provenance(held.fields)
        if _NOT_MODIFIED.fullmatch(record.field("warc-profile")) or (own and own.outcome == Outcome.UNCHANGED):
            self.passed_over[UNCHANGED] += 1
            if record.kind != "revisit":
                payloads.add(record, held.source)  # which others may refer to
            return
        message = _resource(record) if record.kind == "resource" else http.parse(record.block)
        if record.kind == "revisit":
            original = self._original(record, payloads)
            if original is None:
                if is_last:
                    self.passed_over["unresolved revisit"] += 1
                else:
                    payloads.put_off(record, held.source)
                return
            message = original if message is None else message._replace(body=original.body)
        else:
            payloads.add(record, held.source)
        if message is None:
            self.passed_over["no HTTP answer"] += 1
            return
        try:
            yield self._capture(held, message, own)
        except UrlError:
            self.passed_over["bad URL"] += 1

    def _original(self, revisit: Record, payloads: Payloads) -> http.Message | None:
        place = payloads.find(revisit)
        if place is None:
            return None
        number, start, skip = place
        records = Records(self._sources[number].path, start=start, skip=skip, most_bytes=self._most_bytes)
        record = next(iter(records), None)
        if record is None:
            return None
        return _resource(record) if record.kind == "resource" else http.parse(record.block)

    def _capture(self, held: _Held, message: http.Message, own: Provenance | None) -> Capture:
        record = held.record
        url = canonicalize(record.uri.replace(" ", "%20"), self._rules)
        fetched_at = own.fetched_at if own else seconds_of(record.field("warc-date"))
        elapsed_s = own.elapsed_s if own else _float(held.fields.get(b"fetchtimems", b"")) / 1000
        if own:
            headers = tuple((name.removeprefix(UNDONE), value) for name, value in message.headers)
        else:
            message = http.believable(message)
            headers = message.headers
        response = Response(
            url=url,
            status=message.status,
            headers=headers,
            body=message.body,
            fetched_at=fetched_at,
            elapsed_s=elapsed_s,
            address=record.field("warc-ip-address") or None,
            status_line=message.status_line,
            is_cut=record.is_cut or record.field("warc-truncated").lower() in _TRUNCATED_MARKS,
        )
        if own is None:
            via = held.fields.get(b"via", b"").decode("latin-1") or None
            depth = len(held.fields.get(b"hopsfromseed", b""))
            request = Request(
                url=url,
                host_key=host_key(url),
                scope_host=host(url),
                depth=depth,
                via=via,
                seed="" if via else url,
            )
            return Capture(request, response, source=held.source)
        request = Request(
            url=url,
            host_key=host_key(url),
            scope_host=own.scope_host or host(url),
            depth=own.depth,
            via=own.via,
            seed=own.seed,
            kind=Kind(own.kind),
            attempt=own.attempt,
            redirected_from=own.redirected_from,
            context=own.context,
        )
        return Capture(request, response, Outcome(own.outcome), own.reason, own.target, held.source)


def _belongs(metadata: Record, answer: Record) -> bool:
    of = metadata.field("warc-concurrent-to") or metadata.field("warc-refers-to")
    return of == answer.field("warc-record-id") if of else metadata.uri == answer.uri


def _warc_fields(block: bytes) -> dict[bytes, bytes]:
    """Lower-case name -> value, the first of each."""
    fields: dict[bytes, bytes] = {}
    for line in block[: 1 << 20].split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _provenance(fields: dict[bytes, bytes]) -> Provenance | None:
    """What one of our metadata records says; None for others', and for what cannot be understood."""
    text = fields.get(b"crawler")
    if text is None:
        return None
    try:
        own = msgspec.json.decode(text, type=Provenance)
        Kind(own.kind), Outcome(own.outcome)
    except (msgspec.DecodeError, ValueError):
        return None
    return own


def _resource(record: Record) -> http.Message:
    """What was stored without its HTTP head."""
    kind = record.field("content-type").encode("latin-1", errors="replace")
    return http.Message(200, b"", ((b"Content-Type", kind),) if kind else (), record.block)


def _float(text: bytes) -> float:
    return float(text) if text.isdigit() and len(text) < 16 else 0.0
