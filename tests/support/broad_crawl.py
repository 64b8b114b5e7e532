"""A crawl of a broad web in several lives, and what its servers say of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.killing import Crawl
from tests.support.manners import violations
from tests.support.server import ServerApart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.broad import BroadWeb
    from tests.support.hits import Log
    from tests.support.killing import Kill, Life
    from tests.support.manners import Violation

_REMEMBERED_AFTER_S = 1.0
"""So long before its death an answer must have come to be remembered: what is committed at once waits for the
checkpoint under way, and on two busy cores that takes a while."""


@dataclass(frozen=True, kw_only=True)
class Lives:
    """A crawl, as it was and as it was seen."""

    web: BroadWeb
    directory: Path
    lives: Sequence[Life]
    log: Log

    def violations(self) -> list[Violation]:
        """The promises that were not kept."""
        deaths = [at for life in self.lives if life.died for at in life.killed_at]
        return violations(self.log, self.web.promised(deaths, _REMEMBERED_AFTER_S))

    def hits_a_life(self) -> list[int]:
        """How many requests there were in each life."""
        return [sum(life.began <= hit.at <= life.ended for hit in self.log.hits) for life in self.lives]


def crawled(web: BroadWeb, folder: Path, *ends: Kill | None) -> Lives:
    """Crawl a web from a server in a process of its own, in a life for each of `ends`; None is for its natural end."""
    with ServerApart(web, web.all_addresses()) as server:
        configuration = folder / "crawl.yaml"
        configuration.write_text(json.dumps(web.configuration(server.port)))  # which is YAML, too
        crawl = Crawl(folder / "crawl", ["-c", str(configuration)])
        for end in ends:
            crawl.live(*([end] if end else []))
    return Lives(web=web, directory=crawl.directory, lives=crawl.lives, log=server.log)
