"""What must be known of an ended URL, so that its answer can be kept and extracted again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.config.filing import Filed
from crawler.models import Finished, Outcome, Request, Response
from crawler.sinks import FILES, WARC

if TYPE_CHECKING:
    from collections.abc import Sequence


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One ended URL: what was asked, what came, and what became of it. A "line" of the sinks `WARC` and `FILES`."""

    request: Request
    response: Response
    outcome: Outcome
    reason: str | None = None
    target: str | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """As it travels to a sink; holds the body as it came over the wire."""
    return _ENCODER.encode(entry)


def decode(line: bytes) -> Entry:
    """The entry that became `line`."""
    return _DECODER.decode(line)


class Keeping:
    """Which ended URLs go to which of the sinks that keep answers.

    Args:
        warc: Whether all of them are archived.
        files: What is stored as a file: `ExportConfig.files`.
    """

    def __init__(self, *, warc: bool = False, files: Sequence[str] = ()) -> None:
        self._warc = warc
        self._filed = Filed(files) if files else None

    def records(self, finished: Finished, response: Response) -> tuple[tuple[str, bytes], ...]:
        """(sink name, line) for each sink that keeps `response`."""
        sinks = [WARC] if self._warc else []
        if self._filed is not None and finished.outcome is Outcome.FETCHED:
            content_type = response.header(b"content-type")
            if self._filed.wants(response.url, content_type):
                sinks.append(FILES)
        if not sinks:
            return ()
        line = encode(
            Entry(
                request=finished.request,
                response=response,
                outcome=finished.outcome,
                reason=finished.reason,
                target=finished.target,
            )
        )
        return tuple((sink, line) for sink in sinks)
