"""What becomes of an attempt that is over? Every admitted URL gets its one end here.

Carries out what politeness decided: the end goes to the batch, a retry too, the target of a redirect and the links
of a page to the frontier. All of it is synchronous, so that a URL's end and what it leads to are known in one turn
of the loop, and no child can be committed before its parent's end is in the batch.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_never

from crawler.errors import FetchError
from crawler.known import validators
from crawler.models import Finished, Kind, Outcome, Page, Refusal, Snoozed
from crawler.politeness.policy import Finish, Handled, Redirect, Snooze
from crawler.politeness.retry import failure
from crawler.politeness.unvisited import untouched
from crawler.reasons import SAME_CONTENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.archive.entry import Keeping
    from crawler.checkpoint import Committer
    from crawler.clock import Clock
    from crawler.frontier.base import Frontier
    from crawler.models import ParseFailure, Request, Response, Robots
    from crawler.parse.base import Job
    from crawler.politeness.policy import Policy, Settlement
    from crawler.scope import Scope
    from crawler.stats import Stats
    from crawler.traps.detector import Traps

log = logging.getLogger(__name__)

_FETCHED, _UNCHANGED = Outcome.FETCHED, Outcome.UNCHANGED  # looked up once: an enumeration is slow to ask


class Ledger:
    """Books the ends of requests.

    Args:
        keeping: Which answers are kept, beside the records made of them; None for none.
        traps: Learns from what pages say; None if nobody is to.
    """

    def __init__(
        self,
        *,
        frontier: Frontier,
        policy: Policy,
        scope: Scope,
        committer: Committer,
        stats: Stats,
        clock: Clock,
        keeping: Keeping | None = None,
        traps: Traps | None = None,
    ) -> None:
        self._frontier = frontier
        self._policy = policy
        self._scope = scope
        self._committer = committer
        self._stats = stats
        self._clock = clock
        self._keeping = keeping
        self._traps = traps
        counts = frontier.counts()
        self._ended = counts.admitted - counts.pending - counts.brought

    @property
    def open(self) -> int:
        """Admitted and without an end; unlike `Counts.pending`, an end counts before it is committed."""
        counts = self._frontier.counts()
        return counts.admitted - counts.brought - self._ended

    def refused(self, request: Request, finish: Finish) -> None:
        """Politeness does not let it be requested."""
        if self._traps is not None and finish.reason == "trap":
            self._traps.excluded(request)
        self._end(request, finish)

    def put_off(self, request: Request, until: float) -> None:
        """It may not be requested before a monotonic time, as its host rests, say; no attempt was made."""
        self._committer.snooze(Snoozed(request=request, until=until))

    def found(self, requests: Sequence[Request]) -> None:
        """Admit these: seeds, what is to be visited again, sitemaps that a robots.txt names. The end of what is not to
        be visited this time is known at once: it waits for no host, and no budget."""
        visits = [request for request in requests if request.known is None or request.known.skip is None]
        new = [one for one, is_new in zip(visits, self._frontier.add(visits) if visits else (), strict=True) if is_new]
        for request in new:
            self._policy.wake(request.host_key)
        self._policy.budget.admitted(new)
        if len(visits) < len(requests):
            left_out = [request for request in requests if untouched(request) is not None]
            for request in self._frontier.add_taken(left_out):
                if (finish := untouched(request)) is not None:
                    self._end(request, finish)

    def attempted(self, request: Request, answer: Response | FetchError, decision: Settlement) -> None:
        """An attempt brought nothing to parse."""
        response = None if isinstance(answer, FetchError) else answer
        match decision:
            case Finish():
                self._end(request, decision, response)
            case Snooze(request=again, until=until):
                self._committer.snooze(Snoozed(request=again, until=until, reason=failure(answer)))
                self._stats.snoozed(request.attempt)
                log.debug("put off", extra={"url": request.url, "attempt": request.attempt, "why": _told(answer)})
            case Redirect(request=target, status=status):
                reason = self._enter(target)
                self._end(request, Finish(Outcome.REDIRECTED, reason, status, target.url), response)
            case Handled():
                missing = isinstance(answer, FetchError) or answer.status >= 500
                level = logging.INFO if missing else logging.DEBUG
                log.log(
                    level, "robots.txt", extra={"url": request.url, "attempt": request.attempt, "why": _told(answer)}
                )
            case _:
                assert_never(decision)

    def parsed(self, job: Job, finish: Finish, result: Page | ParseFailure) -> None:
        """An answer has been parsed: the page's end and records first, then its links."""
        request = job.request
        if isinstance(result, Page):
            self._end(request, finish, job.response, result.records)
            for host_key in self._frontier.discover(request, result.links):
                self._policy.wake(host_key)
            self._stats.parsed(request.host_key, result)
            if self._traps is not None and result.marks is not None:
                self._traps.learn(request, result)
        else:
            log.info("parsing failed", extra={"url": request.url, "why": f"{result.reason}: {result.detail}"})
            self._end(request, finish, job.response)

    def robots(self, request: Request, result: Page | ParseFailure) -> tuple[Robots | None, str | None]:
        """What a robots.txt says, or in words why it could not be read."""
        if isinstance(result, Page):
            return result.robots, None
        why = f"{result.reason}: {result.detail}"
        log.info("robots.txt", extra={"url": request.url, "attempt": request.attempt, "why": why})
        return None, why

    def _enter(self, target: Request) -> str | None:
        """Admit a redirect's target like any URL; the reason if the scope, which is about pages, refuses it."""
        is_page = target.kind is Kind.PAGE
        rule = self._scope.refusal(target.url, target.scope_host, target.depth) if is_page else None
        if rule:
            self._stats.refused([Refusal(rule=rule, count=1, examples=(target.url,))])
            return "out_of_scope"
        if self._frontier.add([target])[0]:
            self._policy.wake(target.host_key)
        return None

    def _end(
        self,
        request: Request,
        finish: Finish,
        response: Response | None = None,
        records: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        outcome = finish.outcome
        etag = last_modified = None
        if outcome is _FETCHED and response is not None:
            etag, last_modified = validators(response.headers)
        elif outcome is _UNCHANGED:
            etag, last_modified = _validators_of_unchanged(request, finish, response)
        finished = Finished(
            request=request,
            outcome=outcome,
            reason=finish.reason,
            status=finish.status,
            target=finish.target,
            at=self._clock.wall(),
            has_page=finish.has_page,
            etag=etag,
            last_modified=last_modified,
        )
        if response is not None and self._keeping is not None:
            records += self._keeping.records(finished, response)
        self._ended += 1
        self._committer.finish(finished, records)
        self._stats.finished(finished)
        if log.isEnabledFor(logging.DEBUG):  # asked first: it is rarely, and this is for every page
            log.debug(finish.outcome, extra={"url": request.url, "attempt": request.attempt, "why": finish.reason})


def _validators_of_unchanged(
    request: Request, finish: Finish, response: Response | None
) -> tuple[str | None, str | None]:
    """Those of a URL whose content is as it was. A 304 need not repeat all of them (RFC 9110, section 15.4.5)."""
    etag, last_modified = validators(response.headers) if response is not None else (None, None)
    if (known := request.known) is None or finish.reason == SAME_CONTENT:
        return etag, last_modified
    return etag or known.etag, last_modified or known.last_modified


def _told(answer: Response | FetchError) -> str:
    """An answer in a few words, for the log."""
    return str(answer) if isinstance(answer, FetchError) else f"status {answer.status}"
