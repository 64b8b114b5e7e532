"""What does a robots.txt say? A second opinion for tests, as plain as RFC 9309 reads.

It owes nothing to the crawler's own, reads what well-meant files say, not what broken ones may mean, and matches by
trying everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Said:
    """What a file says to one agent."""

    #: whether it allows, and what, in the order of the file
    rules: tuple[tuple[bool, str], ...] = ()
    #: the longest pause that Crawl-delay or Request-rate asks for
    delay_s: float = 0.0

    def allows(self, path: str) -> bool:
        """Whether a path with its query may be requested: the longest rule decides, and of equals the allowing one."""
        deciding = [(len(pattern), allow) for allow, pattern in self.rules if _matches(pattern, _normal(path))]
        return max(deciding, default=(0, True))[1]


@cache
def read(body: bytes, agent: str) -> Said:
    """What `body` says to `agent`: all groups that name it, else those for everybody (section 2.2.1)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    speaking_to: list[str] = []
    ruled = True
    for line in body.decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
        key, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        match key.lower():
            case "user-agent":
                speaking_to = [value.lower()] if ruled else [*speaking_to, value.lower()]
                groups.setdefault(value.lower(), [])
                ruled = False
            case "allow" | "disallow" | "crawl-delay" | "request-rate" as directive:
                ruled = True
                for name in speaking_to:
                    groups[name].append((directive, value))
    group = groups.get(agent.lower(), groups.get("*", []))
    return Said(
        rules=tuple((key == "allow", _normal(value)) for key, value in group if key.endswith("allow") and value),
        delay_s=max((_delay_s(key, value) for key, value in group if not key.endswith("allow")), default=0.0),
    )


def _delay_s(key: str, value: str) -> float:
    if key == "crawl-delay":
        return float(value)
    requests, time, unit = re.fullmatch(r"(\d+)/(\d+)([smh]?)", value).groups()
    return int(time) * _UNIT_S[unit] / int(requests)


def _normal(text: str) -> str:
    """One spelling for what section 2.2.2 calls equal: unreserved characters plain, what is not ASCII escaped."""

    def spelt(escape: re.Match[str]) -> str:
        character = chr(int(escape[0][1:], 16))
        return character if _UNRESERVED.fullmatch(character) else escape[0].upper()

    return re.sub("%[0-9A-Fa-f]{2}", spelt, re.sub("[^\x00-\x7f]+", lambda found: quote(found[0]), text))


@cache
def _matches(pattern: str, path: str) -> bool:
    """Whether `pattern` matches the beginning of `path`; all of it, if it ends in ``$``."""
    if pattern in ("", "$"):
        return not (pattern and path)
    if pattern[0] == "*":
        return any(_matches(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return path[:1] == pattern[0] and _matches(pattern[1:], path[1:])
