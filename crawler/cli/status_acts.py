"""What may a crawl of several workers be told, and what is said of it?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from crawler.errors import ConfigError
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from crawler.config.manners import Pace
    from crawler.fleet.looking import Look

    Wish = Callable[[Look], Awaitable[str]]
    """Is done; then what is said of it."""

BY = "crawler status"
DEFAULT = "default"


def wishes_of(
    *, pause: bool, resume: bool, stop: bool, limits: Sequence[tuple[str, str]], forget: str | None
) -> list[Wish]:
    """What was asked for, in the order that it is done.

    Raises:
        ConfigError: It contradicts itself, or a pace makes no sense.
    """
    asked = [option for option, is_there in (("--pause", pause), ("--resume", resume), ("--stop", stop)) if is_there]
    asked += ["--forget"] if forget is not None else []
    if len(asked) > 1:
        raise ConfigError(f"{' and '.join(asked)}: expected one of them")
    wishes: list[Wish] = [partial(_limit, pattern=host, pace=pace_of(host, told)) for host, told in limits]
    if pause:
        wishes.append(_pause)
    if resume:
        wishes.append(_resume)
    if stop:
        wishes.append(_stop)
    if forget is not None:
        wishes.append(partial(_forget, name=forget))
    return wishes


def pace_of(pattern: str, told: str) -> Pace | None:
    """What ``delay=5s,concurrency=2`` means; None for ``default``.

    Raises:
        ConfigError: It means nothing.
    """
    import json  # noqa: PLC0415

    from crawler.config.file import loads  # noqa: PLC0415 - only a limit needs a configuration

    pairs = [part.partition("=") for part in told.split(",")]
    if told != DEFAULT and not all(sign and key and value for key, sign, value in pairs):
        raise ConfigError(f"--limit {pattern} {told}: expected KEY=VALUE, such as delay=5s or rate=2/s, or {DEFAULT}")
    pace = {} if told == DEFAULT else {key.strip(): value.strip() for key, _, value in pairs}
    text = json.dumps({"limits": {"hosts": {pattern: _as_yaml(pace)}}})
    config = loads(text, f"--limit {pattern} {told}").config
    return None if told == DEFAULT else config.limits.hosts[pattern]


def _as_yaml(pace: dict[str, str]) -> dict[str, str | int]:
    """Whole numbers are numbers there, and all else is text."""
    return {key: int(value) if value.isdecimal() and value.isascii() else value for key, value in pace.items()}


async def _pause(look: Look) -> str:
    await look.control.pause(BY)
    return f"{look.name} is paused: {await _workers(look)} start nothing more; what is in flight is finished and stored"


async def _resume(look: Look) -> str:
    await look.control.unpause()
    return f"{look.name} goes on, with {await _workers(look)}"


async def _stop(look: Look) -> str:
    if not await look.control.stop(BY):
        return f"{look.name} is over already: there is nothing to stop"
    return f"{look.name} is stopped: {await _workers(look)} store what is in flight and end; --resume goes on"


async def _limit(look: Look, *, pattern: str, pace: Pace | None) -> str:
    await look.control.limit(pattern, pace)
    if pace is None:
        return f"{pattern}: as the configuration says, from now on"
    from crawler.config.file import to_plain  # noqa: PLC0415

    told = ", ".join(f"{key} {value}" for key, value in to_plain(pace).items() if value is not None)
    return f"{pattern}: {told}, from now on, for {await _workers(look)} and those that come"


async def _forget(look: Look, *, name: str) -> str:
    if name != look.name:
        raise ConfigError(f"--forget {name}: this crawl is called {look.name}; its name has to be given to forget it")
    if live := await look.control.forget():
        raise ConfigError(
            f"--forget {name}: {counted(live, 'worker')} still work at it: --stop ends them, and one that was killed "
            "is taken for dead once its lease is over"
        )
    return f"{look.name} is forgotten; what its workers have written stays"


async def _workers(look: Look) -> str:
    return counted(len(await look.workers()), "worker")
