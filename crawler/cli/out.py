"""How does text reach a person, so that nothing in it is obeyed by the terminal?

The one way out of the command line: what pages, servers, files and arguments say stands in many messages, and each goes
through here. A `click.echo` elsewhere is a mistake (a test looks). Data on standard output is JSON, in which a
character may be escaped without being changed: to a pipe or a file it goes as it is, to a terminal escaped.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from crawler.wording import is_plain, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType


_standing: list[Callable[[str], None]] = []


@contextmanager
def giving_way(give_way: Callable[[str], None]) -> Iterator[None]:
    """Something stands on the terminal meanwhile; `give_way`, told of each text before it is written, takes it away."""
    _standing.append(give_way)
    try:
        yield
    finally:
        _standing.remove(give_way)


def something_stands() -> bool:
    """Whether something stands on the terminal that says how things are."""
    return bool(_standing)


def tell(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Write lines to standard output or, if `err`, to standard error; nowhere, if that is closed.

    Raises:
        OSError: It cannot be written.
    """
    if (stream := sys.stderr if err else sys.stdout) is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = safe_lines(text).encode(encoding, "backslashreplace").decode(encoding)
    _announce(stream, f"{shown}{end}")
    raw(stream).write(f"{shown}{end}")
    stream.flush()


def remark(text: str) -> None:
    """Write lines to standard error for a person, if there is one to be reached: whatever they say, work goes on."""
    with suppress(OSError):
        tell(text, err=True)


def tell_json(data: bytes) -> None:
    """Write JSON to standard output over several lines. Errors as for `tell`."""
    import msgspec  # noqa: PLC0415  (many messages need none)

    tell(safe_json(msgspec.json.format(data, indent=2)).decode())


def obey(codes: str) -> None:
    """Have the terminal at standard output do something: for control sequences of our own."""
    raw(sys.stdout).write(codes)


def safe_lines(text: str) -> str:
    """`text` with everything escaped but line ends that a terminal might obey or not show."""
    return text if text.isascii() and text.isprintable() else "\n".join(map(printable, text.split("\n")))


def safe_json(data: bytes) -> bytes:
    """JSON in UTF-8 with all that escaped, and the same meaning."""
    text = data.decode("utf-8", "surrogatepass")
    return "".join(c if c == "\n" or is_plain(c) else json.dumps(c)[1:-1] for c in text).encode()


def data_for(stream: Any) -> Callable[[bytes], bytes]:  # noqa: ANN401  (whatever has `isatty`)
    """What JSON passes through on its way to `stream`."""
    return safe_json if stream.isatty() else bytes


class Guarded:
    """A text stream that lets nothing through that a terminal might obey, for whatever is written past `tell`.

    Warnings, tracebacks and other packages' logging are; they may quote a page.
    """

    def __init__(self, stream: TextIO) -> None:
        self.raw = stream

    def write(self, text: str) -> int:
        """As of any text stream."""
        if not isinstance(text, str):
            raise TypeError(f"expected text, not {type(text).__name__}")
        _announce(self.raw, text)
        self.raw.write(safe_lines(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (the stream's own)
        return getattr(self.raw, name)


def raw(stream: Any) -> Any:  # noqa: ANN401  (whatever `sys.stderr` is)
    """The stream itself, for what is safe already or is ours to be obeyed."""
    return stream.raw if isinstance(stream, Guarded) else stream


def _announce(stream: TextIO, text: str) -> None:
    """What is about to be written to `stream`, to those who have something standing on the terminal."""
    if _standing and stream.isatty():
        for give_way in _standing:
            give_way(text)


def guard_stderr() -> None:
    """Let nothing reach standard error that a terminal might obey, from here to the process's end."""
    if sys.stderr is not None and not isinstance(sys.stderr, Guarded):
        sys.stderr = Guarded(sys.stderr)
    sys.excepthook = _tell_crash


def _tell_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As Python does it, without the colours it may use."""
    from traceback import format_exception  # noqa: PLC0415

    tell("".join(format_exception(kind, error, trace)), err=True, end="")
