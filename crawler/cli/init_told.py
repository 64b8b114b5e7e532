"""What was seen of a site, and what to do next, in words: for the heads of the files and for the terminal."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.cli import typed_command
from crawler.cli.init import CONFIG, RULES, SEEDS
from crawler.extract.robots_match import deciding_rule
from crawler.seeds import seed_request, single_seed
from crawler.url import Url, host_key, path_and_query
from crawler.wording import counted, meaning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crawler.survey.look import NothingSeenError, SiteFacts
    from crawler.survey.rule_guess import RuleGuess

_UNREACHED = "does the server run, and can this machine reach it? crawler doctor --host {host} looks"
_DO = {
    "dns": "is the name spelt right? crawler doctor --host {host} looks it up",
    "connect": _UNREACHED,
    "timeout": _UNREACHED,
    "reset": _UNREACHED,
    "tls": "where the server has no certificate that is worth checking, --from http://… may do",
    "noindex": "name another page",
    "too_large": "name a smaller page, or allow more: --set fetch.max_body=50MiB",
    "too_slow": "try again later, or name another page",
    "private_address": "name it as the seed itself, or allow it: --set fetch.allow_addresses=…",
    "http_3": "it redirects in a circle, or to nowhere; name the page that a browser ends at",
    "http_429": "try again later, at a pace such as --set limits.default.delay=5s",
    "http_4": "the server has no such page, or does not show it to crawlers; name another page of the site",
    "http_5": "the server has trouble; try again later",
}
"""What to do, by the reason or by the class of its status."""

_PLAIN = ("connect", "dns", "timeout", "reset")
"""Reasons whose details say no more than their meaning."""


def why_nothing(error: NothingSeenError) -> str:
    """Why there is nothing to propose anything from, and what to do."""
    reason, _, detail = error.reason.partition(": ")
    if reason == "robots":
        _, pattern = deciding_rule(error.robots, path_and_query(Url(error.url))) or (False, "/")
        return (
            f"{error.url}: robots.txt disallows it (Disallow: {pattern}), so nothing else was asked for. Name a page "
            "that it allows, or ask the site's owner; crawler init without --from writes a configuration to fill in"
        )
    if reason == "not_html":
        return f"{error.url}: is {detail or 'no HTML'}; expected a page, the one to begin with"
    told = error.reason if detail and reason not in _PLAIN else f"{reason}, {meaning(reason)}"
    do = _DO.get(reason) or _DO.get(reason[: len("http_4")], "")
    return ": ".join(filter(None, (error.url, told, do.format(host=host_key(Url(error.url))))))


def head(facts: SiteFacts, directory: Path) -> Iterator[str]:
    """What stands at the beginning of crawl.yaml."""
    typed = shlex.quote(str(directory / CONFIG))
    today = datetime.now(UTC).date().isoformat()
    yield f"What suits {facts.start.url}, as seen on {today}: {_looked_at(facts)}. Each line says why."
    yield "Change what you know better; crawler init DIR writes a file with every key there is."
    yield f"  crawler check {typed}"
    yield f"  crawler crawl -c {typed} --max-pages 20"
    for note in _notes(facts):
        yield from ("", f"NOTE: {note}")


def _looked_at(facts: SiteFacts) -> str:
    read = facts.host.sitemaps.read
    sitemaps = counted(read, "sitemap") if read else "no sitemap"
    return f"robots.txt, {sitemaps} and {counted(len(facts.pages), 'page')}"


def _notes(facts: SiteFacts) -> Iterator[str]:
    """What somebody should know before a crawl."""
    start = facts.start
    if start.request.redirected_from and host_key(start.url) != seed_request(single_seed(facts.given)).host_key:
        yield f"{facts.given} redirects to {start.url}, on another host: that one is crawled."
    empty = [seen.url for seen in facts.pages if seen.page.needs_js]
    if empty:
        yield (
            f"pages seem to be filled by scripts, {len(empty)} of {len(facts.pages)} seen, such as {empty[0]}: "
            "scripts are not run, so their records will hold little. Look for the JSON that the scripts load."
        )
    unwanted = [seen.url for seen in facts.pages if seen.page.reason == "noindex"]
    if unwanted:
        asked = f"{counted(len(unwanted), 'page')} asked not to be indexed (noindex), such as {unwanted[0]}"
        yield f"{asked}: of these no record is kept."
    if facts.is_cut:
        yield "there was no time to look at more, at the pace that this site asks for."
    elif len(facts.pages) == 1 and not facts.failed and not facts.host.sitemaps.urls:
        yield "no other page was found: neither links nor sitemaps lead anywhere that robots.txt allows."


def rules_head(directory: Path) -> Iterator[str]:
    """What stands at the beginning of rules.yaml."""
    yield "What pages describe for search engines, with a value seen of each field. docs/rules.md has every key."
    yield f"  crawler try URL -c {shlex.quote(str(directory / RULES))}       what they give of a page"
    yield "  crawler try --suggest VALUE URL      selectors for what is not here"


def told(facts: SiteFacts, guesses: Sequence[RuleGuess], directory: Path) -> Iterator[str]:
    """What was seen, what was written, and what to type next."""
    crawler, typed = typed_command(), shlex.quote(str(directory / CONFIG))
    yield f"Looked at {_looked_at(facts)} of {facts.host.host_key}."
    for note in _notes(facts):
        yield f"Note: {note}"
    for guess in guesses:
        fields = ", ".join(guess.rule["fields"])
        yield f"Rule {guess.rule['name']} takes {guess.seen.type} of {counted(len(guess.seen.urls), 'page')}: {fields}"
    written = [directory / name for name in (CONFIG, SEEDS, *([RULES] if guesses else []))]
    yield f"Wrote {', '.join(map(str, written))}."
    yield from ("", "Next:")
    yield f"  {crawler} check {typed}"
    yield f"  {crawler} crawl -c {typed} --max-pages 20   # a first few pages"
    yield f"  {crawler} crawl -c {typed} --resume         # and then the rest"
    if not guesses:
        page = shlex.quote(facts.pages[-1].url)
        yield f"  {crawler} try --suggest VALUE {page}   # selectors for records of your own"
