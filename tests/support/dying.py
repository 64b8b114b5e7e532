"""Death at a chosen step, in this process: from there on nothing changes any more, whatever is tried.

Unlike a raised error, which lets clean-up run, what has died leaves files and store exactly as they were.
"""

from __future__ import annotations

import os
from pathlib import Path


class Died(BaseException):
    """The process is gone."""


class Steps:
    """Counts what changes files or the store, before and after each, and dies at one of these moments."""

    def __init__(self, number):
        self._left = number
        self.dead = False

    def __call__(self):
        self._left -= 1
        if self.dead or self._left == 0:
            self.dead = True
            raise Died

    def around(self, function):
        def stepping(*arguments, **named):
            self()
            result = function(*arguments, **named)
            self()
            return result

        return stepping

    def around_async(self, function):
        async def stepping(*arguments, **named):
            self()
            result = await function(*arguments, **named)
            self()
            return result

        return stepping

    def wrap_files(self, monkeypatch):
        """Let files change through these steps only."""
        monkeypatch.setattr(os, "fsync", self.around(os.fsync))
        for name in ("replace", "unlink", "rename"):
            monkeypatch.setattr(Path, name, self.around(getattr(Path, name)))

    def wrap(self, thing, *names):
        """Let `thing` be changed by these methods through these steps only."""
        for name in names:
            setattr(thing, name, self.around_async(getattr(thing, name)))
        return thing
