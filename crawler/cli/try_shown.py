"""What is printed of one answer, and what is the shell told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from crawler.cli import NO_SEED, OK
from crawler.cli.out import tell, tell_json
from crawler.cli.try_rows import width
from crawler.cli.try_runs import tried
from crawler.cli.try_told import told
from crawler.export.outcomes import OutcomeRecord, outcome_line
from crawler.models import Finished, Outcome, ParseFailure
from crawler.wording import meaning, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.cli.try_pages import Got
    from crawler.cli.try_runs import Tried
    from crawler.config.file import Loaded
    from crawler.models import Request, Response


def shown(got: Got, loaded: Loaded, *, as_json: bool) -> int:
    """Print what an answer comes to under a configuration; the exit code.

    Raises:
        CrawlerError: The parser cannot be started.
    """
    if got.request is None or got.response is None:
        return _no_record(got.endings, as_json=as_json)
    return result_shown(got, tried(got.request, got.response, loaded.config, loaded.folder), as_json=as_json)


def result_shown(got: Got, result: Tried, *, as_json: bool) -> int:
    """Print what an answer has come to; the exit code."""
    records = result.lines()
    if as_json:
        for line in records:
            tell_json(line)
    else:
        tell(told(got, result, width()))
    if records:
        return OK
    if isinstance(result.page, ParseFailure) and result.page.detail:
        tell("\n".join(map(printable, result.page.detail.splitlines())), err=True)
    if got.request is None or got.response is None:
        return _no_record(got.endings, as_json=as_json)
    ending = _ending(got.request, got.response, result)
    return _no_record((*got.endings[:-1], ending), as_json=as_json)


def _no_record(endings: Sequence[bytes], *, as_json: bool) -> int:
    if as_json:
        for line in endings:
            tell_json(line)
    tell(_why(endings), err=True)
    return NO_SEED


def _ending(request: Request, response: Response, result: Tried) -> bytes:
    """How a URL ended whose answer gave no record."""
    page = result.page
    outcome = (
        Outcome.FAILED
        if isinstance(page, ParseFailure)
        else Outcome.EXCLUDED
        if page.reason == "noindex"
        else Outcome.FETCHED
    )
    ending = Finished(
        request=request, outcome=outcome, reason=page.reason, status=response.status, at=response.fetched_at
    )
    return outcome_line(ending)


def _why(endings: Sequence[bytes]) -> str:
    """Why there is no record: how the last of the URLs ended, in words."""
    end = msgspec.json.decode(endings[-1], type=OutcomeRecord)
    reason = ": ".join(filter(None, (end.reason, end.reason and meaning(end.reason))))
    return f"No page record: {end.url} {end.outcome}" + (f" ({reason})" if reason else "")
