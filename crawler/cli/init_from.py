"""`crawler init --from`: what suits a site, written as files that say why? Looks at it as politely as a crawl would."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import uvloop

from crawler.build import open_survey
from crawler.cli import NO_SEED, OK
from crawler.cli.init import CONFIG, RULES, SEEDS, write_all
from crawler.cli.init_told import head, rules_head, told, why_nothing
from crawler.cli.logs import not_logging
from crawler.cli.out import tell
from crawler.cli.proposed import configuration, rules, seed_list
from crawler.cli.try_runs import parsed_answer
from crawler.clock import SystemClock
from crawler.config import CrawlConfig
from crawler.config.file import as_written, loads, to_plain
from crawler.directory import CrawlDirectory
from crawler.errors import ConfigError, UrlError
from crawler.extract.content import ContentError
from crawler.extract.rules import RuleSet
from crawler.models import Kind
from crawler.plan import Plan
from crawler.seeds import seed_request, single_seed
from crawler.survey.look import NothingSeenError, look
from crawler.survey.propose import Setting, settings_of
from crawler.survey.records import records_seen
from crawler.survey.rule_guess import RuleGuess, rule_of, untyped
from crawler.url import Base, host_key
from crawler.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.models import Request
    from crawler.survey.look import SiteFacts

_LOOKING = (
    "parse.workers=1",
    "extract.features.json_ld=true",
    "extract.features.microdata=true",
    "extract.links=true",
    "extract.fields=null",
    "extract.rules=[]",
    "extract.python=null",
)
"""What a look needs, whatever is asked for."""
_UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_NO_SCHEME = re.compile(r"(?![A-Za-z][A-Za-z0-9+.-]*://)")


def proposed(site: str, directory: Path, overrides: Sequence[str]) -> int:
    """Look at `site`, write what suits it into `directory` and say what to do next; the exit code.

    Raises:
        ConfigError: `site` or `overrides` cannot be meant, or the files cannot be written.
        CrawlerError: This machine cannot ask.
        click.Abort: It was interrupted.
    """
    asked = loads("", "defaults", overrides).config
    looking = loads("", "defaults", (*overrides, *_LOOKING)).config
    try:
        facts = _looked(site, looking)
    except NothingSeenError as error:
        tell(f"crawler: {why_nothing(error)}\nNothing was written.", err=True)
        return NO_SEED
    guesses = [guess for seen in records_seen(facts.pages) if (guess := _holding(rule_of(seen), facts)) is not None]
    settings = _with_asked([*_first(facts), *settings_of(facts, looking), *_last(asked, guesses)], asked)
    texts = {
        CONFIG: configuration(head(facts, directory), settings),
        SEEDS: seed_list(["Where to start, one a line."], list(_seeds(facts))),
    }
    if guesses:
        texts[RULES] = rules(rules_head(directory), guesses)
    loads(texts[CONFIG].replace(f"rules: {RULES}", "rules: []"), CONFIG)  # whatever a site says, it must be usable
    write_all(directory, {name: text.encode() for name, text in texts.items()})
    tell("\n".join(told(facts, guesses, directory)))
    return OK


def _looked(site: str, config: CrawlConfig) -> SiteFacts:
    seed = seed_request(single_seed(site))
    if seed.kind is Kind.SITEMAP:
        raise ConfigError(f"--from {site}: is a sitemap; expected a page or a host, whose sitemaps are looked for")
    with not_logging(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            try:
                return runner.run(_look(seed, config))
            except NothingSeenError as error:
                if not _NO_SCHEME.match(site.strip()) or error.reason.partition(":")[0] not in ("connect", "tls"):
                    raise
                tell(f"{seed.url} cannot be had ({error.reason}): trying http", err=True)
                return runner.run(_look(seed_request(single_seed(f"http://{site.strip()}")), config))
        except KeyboardInterrupt:
            raise click.Abort from None


async def _look(seed: Request, config: CrawlConfig) -> SiteFacts:
    plan = Plan(config=config, directory=CrawlDirectory(Path("data") / "crawl"), seeds=(seed.url,))
    async with open_survey(plan) as survey:
        return await look(survey, SystemClock(), seed, lambda url: tell(f"looking at {url}", err=True))


def _holding(guess: RuleGuess, facts: SiteFacts) -> RuleGuess | None:
    """The rule, if it gives records of the pages it was made from and rejects none; without types if these do harm."""
    for each in (guess, untyped(guess)):
        text = rules([], [each])
        try:
            rule_set = RuleSet(loads(f"extract:\n  rules:\n{_indented(text)}", RULES).config.extract.rules)
            gives = [_gives(rule_set, facts, url) for url in each.seen.urls]
        except (ConfigError, ContentError):
            continue
        if all(records for records, _ in gives) and not any(rejects for _, rejects in gives):
            return each
    return None


def _gives(rule_set: RuleSet, facts: SiteFacts, url: str) -> tuple[int, int]:
    """How many records and rejects there are of a page that was seen."""
    seen = next(seen for seen in facts.pages if seen.url == url)
    parsed = parsed_answer(seen.request, seen.response, CrawlConfig())
    if parsed is None:
        return 0, 0
    base = Base(parsed.base_url)

    def resolve(reference: str) -> str | None:
        try:
            return base.join(reference)
        except UrlError:
            return None

    scraped = rule_set.scrape(parsed, resolve)
    return len(scraped.records), len(scraped.rejects)


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _with_asked(settings: Sequence[Setting], asked: CrawlConfig) -> list[Setting]:
    """The proposals, with what was set by option in the place of what is proposed for it."""
    own = dict(_changed(to_plain(as_written(asked)), to_plain(as_written(CrawlConfig()))))
    kept = [
        setting
        for setting in settings
        if setting.key not in own or setting.key == ("limits", "default", "delay")  # which is never under what is asked
    ]
    known = {setting.key for setting in kept}
    if own.get(("limits", "default", "rate")) is not None:
        kept = [setting for setting in kept if setting.key != ("limits", "default", "delay")]
        own.pop(("limits", "default", "delay"), None)
    return kept + [Setting(key, value, ("As you set it",)) for key, value in own.items() if key not in known]


def _changed(plain: dict[str, Any], default: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in plain.items():
        before = default.get(name)
        if isinstance(value, dict) and isinstance(before, dict) and before:
            yield from (((name, *key), below) for key, below in _changed(value, before))
        elif value != before:
            yield (name,), value


def _first(facts: SiteFacts) -> Iterator[Setting]:
    name = _UNSAFE_IN_NAMES.sub("-", host_key(facts.start.url)).strip("-.")[:80]
    yield Setting(("name",), name or "crawl", (f"Its files go to data/{name or 'crawl'}",))
    yield Setting(("seeds",), [SEEDS], ("Beside this file",))


def _last(asked: CrawlConfig, guesses: Sequence[RuleGuess]) -> Iterator[Setting]:
    if asked.fetch.user_agent == CrawlConfig().fetch.user_agent:
        agent = "shopbot/1.0 (+https://example.org/shopbot)"
        yield Setting(
            ("fetch", "user_agent"),
            agent,
            ("Say who you are, so that the site's owner can reach you",),
            is_active=False,
        )
    if guesses:
        what = ", ".join(f"{guess.seen.type} on {counted(len(guess.seen.urls), 'page')}" for guess in guesses)
        yield Setting(("extract", "rules"), RULES, (f"Pages describe what they show for search engines: {what}",))


def _seeds(facts: SiteFacts) -> Iterator[str]:
    yield facts.start.url
    if facts.unnamed_sitemap:
        yield f"sitemap:{facts.unnamed_sitemap}"
