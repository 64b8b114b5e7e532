"""What becomes of a request after one attempt, or after parsing? One table, and the redirect rules.

Pure: the same request, answer and time give the same decision. Pacing of the host, robots.txt requests and
budgets are left to `policy`.

Redirects: 301, 302, 303, 307 and 308 with a usable Location lead to a new request. 300, 305 and 306 ask a
person or a proxy: they fail as ``http_NNN``, never retried. So does a 304, unless it answers a condition of ours.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec

from crawler.errors import FetchError, UrlError
from crawler.known import condition_lines
from crawler.models import MAX_REDIRECTS, Kind, Outcome, Page, ParseFailure, Request, Response, Url
from crawler.reasons import PRIVATE_ADDRESS, SAME_CONTENT
from crawler.url import STANDARD, Base, host, host_key

if TYPE_CHECKING:
    from crawler.config import UrlsConfig
    from crawler.known import Known


class Deliver(msgspec.Struct, frozen=True):
    """The response goes to the parser pool."""

    response: Response


class Redirect(msgspec.Struct, frozen=True):
    """The URL ends as `REDIRECTED` with `status`; `request` is for scope and frontier to admit or refuse."""

    request: Request
    status: int


class Finish(msgspec.Struct, frozen=True):
    """The URL has its outcome; fields as in `models.Finished`."""

    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    target: str | None = None
    has_page: bool = False


class Snooze(msgspec.Struct, frozen=True):
    """To be tried again: `request` has its attempt raised, `until` is monotonic seconds."""

    request: Request
    until: float


class Handled(msgspec.Struct, frozen=True):
    """A robots.txt request, of no concern to anybody but politeness."""


Settlement = Redirect | Finish | Snooze | Handled
"""What follows from an attempt that brought nothing to parse."""

Decision = Deliver | Settlement


class Rule(NamedTuple):
    """What one kind of failure means."""

    #: tries in all, the first included
    attempts: int
    #: seconds before the second try; four times as long before each further one
    wait_s: float
    #: whether the host itself is to blame, rather than this URL
    blames_host: bool


_FINAL = Rule(1, 0.0, blames_host=False)
_FINAL_HOST = Rule(1, 0.0, blames_host=True)
_TROUBLE = Rule(3, 2.0, blames_host=True)

_RULES: dict[str, Rule] = {
    "timeout": _TROUBLE,
    "too_slow": Rule(2, 10.0, blames_host=True),
    "dns": Rule(2, 5.0, blames_host=True),
    "connect": _TROUBLE,
    "proxy": Rule(3, 2.0, blames_host=False),
    "tls": _FINAL_HOST,
    "reset": _TROUBLE,
    "incomplete": _TROUBLE,
    "http_408": _TROUBLE,
    "http_429": Rule(4, 10.0, blames_host=True),
    "http_500": Rule(3, 2.0, blames_host=False),  # as often the one page's fault as the server's
    "http_502": _TROUBLE,
    "http_503": Rule(4, 5.0, blames_host=True),
    "http_504": _TROUBLE,
    # 520 to 524: a proxy (Cloudflare's numbers) found its origin broken, down, slow or unreachable
    "http_520": _TROUBLE,
    "http_521": _TROUBLE,
    "http_522": _TROUBLE,
    "http_523": _TROUBLE,
    "http_524": _TROUBLE,
}
"""Reason -> rule. What is not listed is final and this URL's own: other 4xx and 5xx, ``protocol``,
``too_large``, ``bad_encoding`` and everything that fails while parsing."""

HOST_NOT_HAD = frozenset(("robots_unreachable", "breaker"))
"""Reasons of being excluded that are not the URL's own, and may have passed."""

_STRAIN = frozenset(("timeout", "too_slow", "connect", "reset", "incomplete", "http_408", "http_429"))

WAIT_FACTOR = 4.0
JITTER = 0.25
"""A wait is changed by at most this share of itself, so that what failed together is not retried together."""

MAX_RETRY_AFTER_S = 3600.0

_NOT_MODIFIED = 304
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
BAD_PORTS = frozenset(map(str, (
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
    531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045,
    4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
)))  # fmt: skip
"""Where mail, news, shells and the like listen: browsers ask nothing there (Fetch standard, section 2.9). We do if a
seed or a page says so, but follow no redirect there from another port."""

_MAY_ASK_TO_WAIT = frozenset({429, 503})


def rule_for(reason: str) -> Rule:
    """The table's row for a reason of `reasons.REASONS`."""
    return _RULES.get(reason, _FINAL)


def strains(reason: str) -> bool:
    """Whether a failure speaks of a host that has too much to do: it is then asked less often."""
    return reason in _STRAIN or reason.startswith("http_5")


def mendable(reason: str) -> bool:
    """Whether a URL that ended for this reason may do better another time: what is retried, and hosts not had."""
    return reason in HOST_NOT_HAD or rule_for(reason).attempts > 1


def failure(answer: Response | FetchError) -> str | None:
    """The reason an answer is a failure; None for 2xx and redirects."""
    if isinstance(answer, FetchError):
        return answer.reason
    if 200 <= answer.status < 300 or is_redirect(answer):
        return None
    return f"http_{answer.status}"


def is_redirect(response: Response) -> bool:
    """Whether its status says that the resource is elsewhere."""
    return response.status in _REDIRECTS


def after(
    request: Request, answer: Response | FetchError, *, now: float, wall: float, rules: UrlsConfig = STANDARD
) -> Deliver | Redirect | Finish | Snooze:
    """What follows from one attempt.

    Args:
        request: What was asked.
        answer: What came of it.
        now: Monotonic seconds; waits are counted from it.
        wall: Wall time, to understand a Retry-After date.
        rules: How redirect targets are canonicalised.
    """
    if isinstance(answer, Response) and 200 <= answer.status < 300:
        return Deliver(answer)
    reason = failure(answer)
    if reason is None:
        assert isinstance(answer, Response)  # noqa: S101  # for the type checker: an error has a reason
        return _redirect(request, answer, rules)
    status = answer.status if isinstance(answer, Response) else None
    if reason == PRIVATE_ADDRESS:
        return Finish(Outcome.EXCLUDED, reason)
    if status == _NOT_MODIFIED and (known := request.known) is not None and _is_condition_met(request, answer):
        return Finish(Outcome.UNCHANGED, "not_modified", status, has_page=known.has_page)
    rule = rule_for(reason)
    if request.attempt >= rule.attempts:
        return Finish(Outcome.FAILED, reason, status)
    wait_s = max(retry_wait_s(request, rule), retry_after_s(answer, wall) or 0.0)
    return Snooze(msgspec.structs.replace(request, attempt=request.attempt + 1), now + wait_s)


def after_parse(response: Response, result: Page | ParseFailure, known: Known | None = None) -> Finish:
    """The outcome of a delivered response once parsed. Parsing is repeatable, so its failures are final."""
    if not isinstance(result, Page):
        return Finish(Outcome.FAILED, result.reason, response.status)
    if result.reason is None:
        return _kept(response.status)
    if known is not None and result.reason == SAME_CONTENT:
        return Finish(Outcome.UNCHANGED, SAME_CONTENT, response.status, has_page=known.has_page)
    outcome = Outcome.EXCLUDED if result.reason == "noindex" else Outcome.FETCHED
    return Finish(outcome, result.reason, response.status)


@cache
def _kept(status: int) -> Finish:
    """The end of every page that has its record."""
    return Finish(Outcome.FETCHED, None, status, has_page=True)


def _is_condition_met(request: Request, answer: Response | FetchError) -> bool:
    """Whether a 304 answers what we asked by, rather than nothing, or a header of the user's."""
    asked = condition_lines(request.known) if request.known is not None else ""
    head = b"" if isinstance(answer, FetchError) else answer.request_head
    return asked != "" and (not head or asked.encode("latin-1") in head)


def retry_wait_s(request: Request, rule: Rule) -> float:
    """Seconds before the attempt after `request`: exponential, with a jitter that is the same every time."""
    share = crc32(f"{request.url} {request.attempt}".encode()) / 0xFFFFFFFF
    return rule.wait_s * WAIT_FACTOR ** (request.attempt - 1) * (1 - JITTER + 2 * JITTER * share)


def retry_after_s(answer: Response | FetchError, wall: float) -> float | None:
    """How long a 429 or 503 asks its host to be left alone (RFC 9110, section 10.2.3), at most an hour.

    None if it asks for nothing, or for something unreadable.
    """
    if isinstance(answer, FetchError) or answer.status not in _MAY_ASK_TO_WAIT:
        return None
    value = (answer.header(b"retry-after") or "").strip()
    seconds = float(value) if value.isascii() and value.isdigit() else _seconds_until(value, wall)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _seconds_until(http_date: str, wall: float) -> float | None:
    try:
        date = parsedate_to_datetime(http_date)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - wall
    except (ValueError, OverflowError, TypeError, IndexError):  # what email.utils raises differs by version
        return None


def redirect_target(request: Request, response: Response, rules: UrlsConfig = STANDARD) -> Url | None:
    """Where a redirect leads; None if browsers would not follow it.

    They do not without a Location that says something, with several that differ (one may have been smuggled in), to
    what is not an http or https URL, and to a port that is another protocol's (`BAD_PORTS`).
    """
    locations = {value.strip() for value in response.values(b"location")}
    location = locations.pop() if len(locations) == 1 else ""
    if not location:
        return None
    with suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode()  # servers send raw UTF-8, and browsers take it
    try:
        target = Base(request.url, rules).join(location)
    except UrlError:
        return None
    return None if _port(target) in BAD_PORTS and _port(target) != _port(request.url) else target


def _port(url: Url) -> str:
    """Its port, if that is not the scheme's own."""
    return host_key(url).rpartition(":")[2]


def _redirect(request: Request, response: Response, rules: UrlsConfig) -> Redirect | Finish:
    target = redirect_target(request, response, rules)
    if target is None:
        return Finish(Outcome.FAILED, "bad_redirect", response.status)
    chain = (*request.redirected_from, request.url)
    if target in chain or len(chain) > MAX_REDIRECTS:
        return Finish(Outcome.FAILED, "redirect_loop", response.status, target)
    return Redirect(hop(request, target), response.status)


def hop(request: Request, target: Url) -> Request:
    """The request for a redirect's target: one link longer a chain, the first of its own attempts.

    While a seed is still being redirected, the host it ends on is the one its crawl stays on.
    """
    from_seed = request.depth == 0 and request.via is None and request.kind is not Kind.ROBOTS
    return msgspec.structs.replace(
        request,
        url=target,
        host_key=host_key(target),
        scope_host=host(target) if from_seed else request.scope_host,
        attempt=1,
        redirected_from=(*request.redirected_from, request.url),
        id=0,
        inside=request.inside and host(target) == host(request.url),  # of a page it is settled anew
        known=None,  # that was of the other URL
    )
