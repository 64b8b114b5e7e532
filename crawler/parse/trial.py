"""Can the user's own function be loaded where pages are parsed?

Tried in a process of its own, before a crawl begins: importing it may take long, print, or end the process.
"""

from __future__ import annotations

import json
import subprocess
import sys

from crawler.errors import ConfigError
from crawler.extract.hook import parted

DEADLINE_S = 60.0
_CHARACTERS = 1_000

_TRIAL = """
import json, sys
name, sys.path[:] = json.loads(sys.stdin.readline())
from crawler.errors import ConfigError
from crawler.extract.hook import load
try:
    load(name)
except ConfigError as error:
    sys.exit(f"\\n{sys.argv[1]}{error}")
"""
_MARK = "-- cannot be used: "


def try_function(name: str, deadline_s: float = DEADLINE_S) -> None:
    """Load ``extract.python`` and forget it again.

    Args:
        name: With the folder its module is in, if that is not on the path.
        deadline_s: How long it may take.

    Raises:
        ConfigError: It cannot be loaded; says why.
    """
    parted(name)
    told = json.dumps([name, [entry for entry in sys.path if isinstance(entry, str)]])
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and code
            [sys.executable, "-P", "-c", _TRIAL, _MARK],
            input=told.encode() + b"\n",
            capture_output=True,
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"extract.python: {name}: its import takes over {deadline_s:g} s") from None
    except OSError as error:
        raise ConfigError(f"extract.python: {name}: cannot be tried: {error}") from error
    if done.returncode:
        _, mark, why = done.stderr.decode(errors="replace").rpartition(_MARK)
        if mark:
            raise ConfigError(why.strip())
        last = (why.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ConfigError(f"extract.python: {name}: its import ends the process: {last[:_CHARACTERS]}")
