"""Which WARC records does an ended URL become?

Three: the answer (``response``, or ``revisit`` where the archive has the same payload already, or where the server said
that it is the same as before), the ``request`` as it
was sent, and ``metadata`` with what the answer alone does not tell: where the URL came from and how it ended, in the
words of others (``via``, ``hopsFromSeed``, ``fetchTimeMs``) and, all of it, as JSON in ``crawler``, which is what
`crawler.archive.captures` needs to make the same records of it again.

Bodies stay as they came over the wire, content coding included, but for the chunks of HTTP/1.1: where they were
undone, the header that announced them is called ``X-Crawl-Transfer-Encoding``, as Common Crawl does, so that no reader
looks for them, and a length beside it ``X-Crawl-Content-Length``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from crawler.archive.record import END, NOT_MODIFIED_PROFILE, REVISIT_PROFILE, digest, member, record, record_id
from crawler.clock import rfc3339
from crawler.models import Outcome

if TYPE_CHECKING:
    from crawler.archive.entry import Entry
    from crawler.models import Response

UNDONE: Final = b"X-Crawl-"
"""Before the name of a header that does not hold for the body as it is stored."""

_TRANSFER_ENCODING: Final = b"transfer-encoding"
_FRAMING: Final = frozenset((_TRANSFER_ENCODING, b"content-length"))
"""Beside chunks, a length means nothing (RFC 9112 section 6.3)."""
_NOT_MODIFIED: Final = 304
_WARC_FIELDS: Final = "application/warc-fields"
_PACKED = ("gzip", "br", "zstd", "deflate")
_PACKED_TYPES = ("image/", "video/", "audio/", "font/", "application/zip", "application/gzip", "application/pdf")


class Original(NamedTuple):
    """An answer that the archive holds, to which another with the same payload refers."""

    url: str
    date: str  #: its WARC-Date


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``crawler`` says in a metadata record: of `models.Request` and `Entry` what the answer does not tell."""

    depth: int = 0
    via: str | None = None
    seed: str = ""
    kind: str = "page"
    scope_host: str = ""
    attempt: int = 1
    redirected_from: tuple[str, ...] = ()
    context: bytes = b""
    outcome: str = "fetched"
    reason: str | None = None
    target: str | None = None
    fetched_at: float = 0.0
    elapsed_s: float = 0.0


class Composed(NamedTuple):
    """The records of one answer, packed, a member each."""

    members: tuple[bytes, ...]  #: the answer's own first


_JSON = msgspec.json.Encoder()


def warcinfo(filename: str, software: str, date: str) -> bytes:
    """The member that begins a file."""
    block = (
        f"software: {software}\r\nformat: WARC File Format 1.1\r\n"
        "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
    )
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", record_id("warcinfo", filename, date)),
        ("WARC-Date", date),
        ("WARC-Filename", filename),
        ("Content-Type", _WARC_FIELDS),
    ]
    return member(record(fields, [block.encode()]))


def payload_digest(response: Response) -> str:
    """Of the body as it came over the wire."""
    return digest(response.body)


def warc_date(response: Response) -> str:
    """When it was asked for."""
    return rfc3339(response.fetched_at)


def compose(entry: Entry, payload: str, original: Original | None) -> Composed:
    """All records of one answer.

    Args:
        entry: The ended URL.
        payload: Its `payload_digest`.
        original: What it repeats; None if its payload is to be stored.
    """
    response = entry.response
    date = warc_date(response)
    own_id = record_id("response", response.url, repr(response.fetched_at), payload)
    common = [("WARC-Date", date), ("WARC-Target-URI", response.url)]
    if response.address:
        common.append(("WARC-IP-Address", response.address))
    if _is_not_modified(entry):
        members = [_not_modified(entry, own_id, common)]
    else:
        members = [_answer(response, own_id, common, payload, original)]
    if response.request_head:
        fields = [
            ("WARC-Type", "request"),
            ("WARC-Record-ID", record_id("request", own_id)),
            *common,
            ("WARC-Concurrent-To", own_id),
            ("Content-Type", "application/http; msgtype=request"),
        ]
        members.append(member(record(fields, [response.request_head])))
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", record_id("metadata", own_id)),
        *common[:2],
        ("WARC-Concurrent-To", own_id),
        ("Content-Type", _WARC_FIELDS),
    ]
    members.append(member(record(fields, [_metadata(entry)])))
    return Composed(tuple(members))


def _answer(
    response: Response, own_id: str, common: list[tuple[str, str]], payload: str, original: Original | None
) -> bytes:
    """The response or revisit record."""
    fields = [("WARC-Type", "revisit" if original else "response"), ("WARC-Record-ID", own_id), *common]
    if original:
        fields += [
            ("WARC-Profile", REVISIT_PROFILE),
            ("WARC-Refers-To-Target-URI", original.url),
            ("WARC-Refers-To-Date", original.date),
        ]
    fields.append(("WARC-Payload-Digest", payload))
    if response.is_cut:
        fields.append(("WARC-Truncated", "length"))
    fields.append(("Content-Type", "application/http; msgtype=response"))
    body = b"" if original else response.body
    stored = len(body) + len(END) if body and _is_packed(response) else 0
    return member(record(fields, [_head(response), body]), stored)


def _is_not_modified(entry: Entry) -> bool:
    return entry.outcome is Outcome.UNCHANGED and entry.response.status == _NOT_MODIFIED


def _not_modified(entry: Entry, own_id: str, common: list[tuple[str, str]]) -> bytes:
    """The revisit record of an answer 304 to a conditional request (WARC 1.1, section 6.7.3). It has no payload whose
    digest could be told, and refers to the answer that its records were made of."""
    fields = [
        ("WARC-Type", "revisit"),
        ("WARC-Record-ID", own_id),
        *common,
        ("WARC-Profile", NOT_MODIFIED_PROFILE),
        ("WARC-Refers-To-Target-URI", entry.response.url),
    ]
    known = entry.request.known
    if known is not None and (known.since or known.at):
        fields.append(("WARC-Refers-To-Date", rfc3339(known.since or known.at)))
    fields.append(("Content-Type", "application/http; msgtype=response"))
    return member(record(fields, [_head(entry.response)]))


def _head(response: Response) -> bytes:
    lines = [response.status_line or b"HTTP/1.1 %d" % response.status]
    framing = {name.lower() for name, _ in response.headers} & _FRAMING
    for name, value in response.headers:
        if _TRANSFER_ENCODING in framing and name.lower() in framing:
            name = UNDONE + name  # noqa: PLW2901
        lines.append(name + b": " + value)
    return b"\r\n".join((*lines, b"", b""))


def _is_packed(response: Response) -> bool:
    coding = (response.header(b"content-encoding") or "").lower()
    if any(name in coding for name in _PACKED):
        return True
    return (response.header(b"content-type") or "").lower().startswith(_PACKED_TYPES)


def _metadata(entry: Entry) -> bytes:
    request, response = entry.request, entry.response
    provenance = Provenance(
        depth=request.depth,
        via=request.via,
        seed=request.seed,
        kind=request.kind,
        scope_host=request.scope_host,
        attempt=request.attempt,
        redirected_from=request.redirected_from,
        context=request.context,
        outcome=entry.outcome,
        reason=entry.reason,
        target=entry.target,
        fetched_at=response.fetched_at,
        elapsed_s=response.elapsed_s,
    )
    lines = [f"hopsFromSeed: {'L' * request.depth}", f"fetchTimeMs: {round(response.elapsed_s * 1000)}"]
    if request.via:
        lines.insert(0, f"via: {request.via}")
    text = "\r\n".join(lines).encode(errors="surrogatepass")
    return text + b"\r\ncrawler: " + _JSON.encode(provenance) + b"\r\n"


def seconds_of(date: str) -> float:
    """The wall time a WARC-Date names; 0.0 if it names none. Dates of WARC 1.1 may lack their end."""
    try:
        when = datetime.fromisoformat(date.strip())
    except ValueError:
        return 0.0
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
