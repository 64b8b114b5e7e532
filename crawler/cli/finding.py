"""What does one check of `crawler doctor` find?"""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["ok", "warning", "failed"]


class Finding(NamedTuple):
    """One line of the table."""

    state: State
    #: what was looked at, in a word or two
    check: str
    #: what was found
    found: str
    #: what to do about it; empty where there is nothing to do
    do: str = ""
