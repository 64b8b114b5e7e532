"""What a parser pool promises: a page or a failure for every response, whatever the page does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from crawler.models import Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.models import Page, ParseFailure


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One response to parse, with the request it answers."""

    request: Request
    response: Response


class Parser(Protocol):
    """Turns responses into pages, on whatever its backend runs."""

    @property
    def lanes(self) -> int:
        """How many `parse` calls keep the pool busy; more only wait."""
        ...

    @property
    def server_pid(self) -> int | None:
        """The process whose children are the workers, each a process; None where they are none."""
        ...

    async def start(self) -> None:
        """Start the workers and return without waiting for them: they load while the caller goes on.

        Raises:
            ParseError: No worker can be started.
        """
        ...

    async def parse(self, jobs: Sequence[Job]) -> list[Page | ParseFailure]:
        """Parse a batch; results in the order of `jobs`. A page that crashes its worker, outlives
        ``parse.deadline`` or outgrows ``parse.memory`` (backend `process` only) becomes a `ParseFailure`;
        the rest of its batch is parsed all the same.

        Raises:
            ParseError: Workers cannot be replaced any more; nothing of this batch was parsed.
        """
        ...

    def confirm(self, result: Page | ParseFailure) -> None:
        """The frontier was given the links of `result`: later pages may do without them (see `known`)."""
        ...

    async def aclose(self) -> None:
        """End the workers, at once and whatever they do. Idempotent."""
        ...
