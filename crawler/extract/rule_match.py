"""Is a rule for this page? By kind of response, URL, and what must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jmespath

from crawler.config.patterns import pattern_set
from crawler.config.rule_kinds import kinds_of_rule
from crawler.config.scraping import as_match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config.scraping import RuleConfig
    from crawler.extract.parsed import Parsed

_WORDS: Final = {"html": "HTML", "json": "JSON", "xml": "XML"}


class Match:
    """What a rule asks of a page.

    Raises:
        ConfigError: Its patterns are too large for RE2.
    """

    def __init__(self, rule: RuleConfig) -> None:
        match = as_match(rule.match)
        #: of response that the rule is for
        self.kinds = kinds_of_rule(rule)
        self._patterns = match.url
        self._urls = pattern_set(match.url) if match.url else None
        self._css = match.css
        self._written = match.json
        self._json = jmespath.compile(match.json) if match.json is not None else None

    def why_not_by_url(self, parsed: Parsed) -> str | None:
        """As `why_not`, but for what stands in the page."""
        kind = parsed.kind
        if kind not in self.kinds:
            return f"the rule is for {' or '.join(_WORDS[each] for each in sorted(self.kinds))}, this is {_WORDS[kind]}"
        if self._urls is not None and not self._urls.Match(parsed.url):
            return f"match.url: none of {_listed(self._patterns)} matches {parsed.url}"
        return None

    def why_not(self, parsed: Parsed) -> str | None:
        """The first thing that is not as asked, in words; None if all is."""
        if why_not := self.why_not_by_url(parsed):
            return why_not
        if self._css is not None and (parsed.tree is None or parsed.tree.css_first(self._css) is None):
            return f"match.css: {self._css} matches nothing"
        if self._json is not None and not self._has_value(parsed.value):
            return f"match.json: {self._written} has no value"
        return None

    def _has_value(self, value: Any) -> bool:  # noqa: ANN401
        """Whether the expression gives what JMESPath takes for true."""
        try:
            found = self._json.search(value)  # type: ignore[union-attr]
        except Exception:  # noqa: BLE001 - what functions make of wrong types is no value
            return False
        return found is not None and found is not False and found not in ("", [], {})


def _listed(patterns: Sequence[str]) -> str:
    more = f" and {len(patterns) - 3} more" if len(patterns) > 3 else ""
    return ", ".join(patterns[:3]) + more
