"""What does a function of the user's own make of a page? ``extract.python: package.module:function``.

It is imported where pages are parsed and called with each parsed one; what it yields are records, as dicts, and links,
as `Follow`. Whatever it raises, or yields that is neither, fails its page and nothing else. Time and memory are limited
by the parser pool, as for any page.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from crawler.config.function import EXPECTED, NAME
from crawler.errors import ConfigError, HookError
from crawler.extract.hook_page import Follow, ParsedPage
from crawler.extract.record import one_line
from crawler.extract.rule_follow import MAX_CONTEXT_BYTES, MAX_LINKS, Followed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crawler.extract.parsed import Parsed

MAX_BYTES = 16 << 20
"""What one page may yield, encoded."""

MAX_DETAIL = 2_000
_FRAMES = 8
_encode = msgspec.json.Encoder().encode


class Yielded(NamedTuple):
    """What came of one page."""

    lines: tuple[bytes, ...]  #: of the sink `Hook.sink`, each without its newline
    links: tuple[Followed, ...]


class Function(NamedTuple):
    """The parts of ``extract.python``."""

    folder: str  #: where its module is looked for first; empty for nowhere in particular
    module: str
    function: str


def parted(name: str) -> Function:
    """The parts of a function's name: ``[FOLDER/]package.module:function``.

    Raises:
        ConfigError: It is no such name.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise ConfigError(f"extract.python: {name}: {EXPECTED}")
    if match["module"] == "__main__":
        raise ConfigError(f"extract.python: {name}: a script is not run again for each parser; {EXPECTED}")
    return Function(match["folder"] or "", match["module"], match["function"])


def load(name: str) -> Callable[[ParsedPage], object]:
    """Import a function, its folder first on the path from now on.

    Raises:
        ConfigError: It cannot be imported, or is none that can be called here.
    """
    folder, module, function = parted(name)
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    where = f" (looked in {folder} first)" if folder else ""
    try:
        found = getattr(importlib.import_module(module), function, None)
    except ModuleNotFoundError as error:
        raise ConfigError(f"extract.python: {name}: {error}{where}") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"extract.python: {name}: cannot be imported: {_told(error)}") from error
    if found is None:
        raise ConfigError(f"extract.python: {name}: module {module} has no {function}{where}")
    if not callable(found) or inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        kind = "an async function" if callable(found) else type(found).__name__
        raise ConfigError(f"extract.python: {name}: {function} is {kind}; expected a function or generator")
    called: Callable[[ParsedPage], object] = found
    return called


class Hook:
    """The user's function, as extraction calls it.

    Args:
        name: As in `ExtractConfig.python`.

    Raises:
        ConfigError: It cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        self._function = load(name)
        #: its records' sink, and what they have under ``_rule``
        self.sink = parted(name).function

    def __call__(self, parsed: Parsed) -> Yielded:
        """Call it.

        Raises:
            HookError: It raised something, or yielded what is neither a record nor a link.
            MemoryError: There is no more.
        """
        try:
            return self._called(ParsedPage(parsed))
        except (HookError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise HookError(_told(error)) from error

    def _called(self, page: ParsedPage) -> Yielded:
        ours = {"_url": page.url, "_fetched_at": page.fetched_at, "_rule": self.sink}
        lines: list[bytes] = []
        links: list[Followed] = []
        size = 0
        for item in _items(self._function(page)):
            if isinstance(item, Follow):
                links.append(self._followed(item))
                if len(links) > MAX_LINKS:
                    raise HookError(f"{self.sink} yields over {MAX_LINKS:,} links for one page")
                continue
            line = _line(ours, item)
            size += len(line)
            if size > MAX_BYTES:
                raise HookError(f"{self.sink} yields over {MAX_BYTES:,} bytes of records for one page")
            lines.append(line)
        return Yielded(tuple(lines), tuple(links))

    def _followed(self, link: Follow) -> Followed:
        try:
            context = _encode(_mended(link.carry)) if link.carry else b""
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise HookError(f"yielded {link!r}, which carries what is no JSON: {error}") from error
        if len(context) > MAX_CONTEXT_BYTES:
            raise HookError(f"yielded {link!r}, which carries over {MAX_CONTEXT_BYTES:,} bytes")
        return Followed(self.sink, link.url, link.priority, context)


def _items(result: object) -> Iterator[object]:
    """What a function returned, item by item: a generator, a list, or one thing alone."""
    if result is None:
        return
    if isinstance(result, dict | Follow):
        yield result
        return
    if isinstance(result, str | bytes) or not hasattr(result, "__iter__"):
        raise HookError(f"returned {_shown(result)}; expected records (dicts) and Follow(url), yielded or in a list")
    items: Iterable[object] = result
    yield from items


def _line(ours: dict[str, str], item: object) -> bytes:
    if not isinstance(item, dict):
        raise HookError(f"yielded {_shown(item)}; expected a record (a dict) or Follow(url)")
    for key in item:
        if not isinstance(key, str) or key in ours:
            raise HookError(
                f"yielded a record with the key {_shown(key)}; expected a text other than {', '.join(ours)}"
            )
    record = ours | item
    try:
        return one_line(_encode(record))
    except UnicodeEncodeError:
        return one_line(_encode(_mended(record)))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise HookError(f"yielded a record that is no JSON: {error}: {_shown(item)}") from error


def _mended(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """`value` with U+FFFD for each lone surrogate, which JSON may spell and UTF-8 cannot."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not value.isascii() else value
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mended(inner) for inner in value]
    return value


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - it is the user's
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 200 else f"{text[:199]}…"


def _told(error: BaseException) -> str:
    """An exception and where it comes from, the innermost call first, without our own calls."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    places = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in reversed(frames)]
    more = f" < … {len(places) - _FRAMES} more" if len(places) > _FRAMES else ""
    try:
        what = "".join(traceback.format_exception_only(error)).strip()
    except Exception:  # noqa: BLE001 - it is the user's
        what = type(error).__name__
    where = " < ".join(places[:_FRAMES]) + more
    return f"{what[:MAX_DETAIL]} at {where}"[:MAX_DETAIL] if where else what[:MAX_DETAIL]


def _is_ours(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen importlib") or "/importlib/__init__.py" in filename
