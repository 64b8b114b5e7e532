"""How do proposals become files that a person reads? YAML in which a comment says why, and which does what it says.

What comes from a site stands in comments and in quoted scalars only: nothing in it can end a comment's line
(`printable` escapes what might), and YAML's own writer quotes the rest.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

import yaml

from crawler.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crawler.survey.propose import Setting
    from crawler.survey.rule_guess import RuleGuess

_COLUMNS: Final = 118
_SHOWN: Final = 70
_ORDER: Final = ("name", "seeds", "scope", "urls", "budget", "limits", "robots", "sitemaps", "fetch", "extract")
"""Sections as the template has them; others come after these, as given."""


def configuration(head: Iterable[str], settings: Sequence[Setting]) -> str:
    """crawl.yaml: `head` as comments, then each setting below its reasons."""
    lines = [f"# {printable(line)}".rstrip() for line in head]
    sections = dict.fromkeys(setting.key[0] for setting in settings)
    ordered = [name for name in _ORDER if name in sections] + [name for name in sections if name not in _ORDER]
    for name in ordered:
        lines.append("")
        lines += _section([setting for setting in settings if setting.key[0] == name])
    return "\n".join(lines) + "\n"


def seed_list(head: Iterable[str], seeds: Sequence[str]) -> str:
    """seeds.txt."""
    return "\n".join((*(f"# {printable(line)}" for line in head), *seeds)) + "\n"


def rules(head: Iterable[str], guesses: Sequence[RuleGuess]) -> str:
    """rules.yaml: each field with a value that was seen."""
    lines = [f"# {printable(line)}".rstrip() for line in head]
    for guess in guesses:
        rule, pages = guess.rule, len(guess.seen.urls)
        lines.append("")
        how = "JSON-LD" if guess.seen.source == "json_ld" else "microdata"
        seen = f"{guess.seen.type} of schema.org, as {how} on {counted(pages, 'page')} of those looked at"
        lines += comment(f"{seen}, such as {guess.seen.urls[0]}")
        lines.append(f"- name: {scalar(rule['name'])}")
        lines += [f"  {key}: {scalar(rule[key])}" for key in ("match", "each") if key in rule]
        lines.append("  fields:")
        for name, field in rule["fields"].items():
            some = "" if guess.filled[name] == pages else f" ({guess.filled[name]} of {pages})"
            example = printable(" ".join(str(guess.examples[name]).split()), _SHOWN)
            lines.append(f"    {scalar(name)}: {scalar(field)}   # {example}{some}")
        lines += [f"  unique: {scalar(rule['unique'])}"] if "unique" in rule else []
    return "\n".join(lines) + "\n"


def comment(text: str, indent: int = 0) -> list[str]:
    """`text` as comment lines; no character of it ends one."""
    shown = printable(text)
    wrapped = textwrap.wrap(shown, _COLUMNS - indent - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{'':{indent}}# {line}" for line in wrapped]


def scalar(value: object) -> str:
    """A value in YAML, on one line and in ASCII."""
    text: str = yaml.dump(value, Dumper=yaml.SafeDumper, default_flow_style=True, sort_keys=False, width=1_000_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _section(settings: Sequence[Setting]) -> Iterator[str]:
    """One section, in which what is in force comes first."""
    active = sorted((setting for setting in settings if setting.is_active), key=lambda setting: setting.key[:-1])
    others = [setting for setting in settings if not setting.is_active]
    written: tuple[str, ...] = ()
    for setting in active:
        *above, name = setting.key
        for depth, section in enumerate(above):
            if written[: depth + 1] != (*above[: depth + 1],):
                yield f"{'':{2 * depth}}{section}:"
        written = (*above,)
        indent = 2 * len(above)
        for why in setting.why:
            yield from comment(why, indent)
        yield from _key(name, setting.value, indent)
    for setting in others:
        indent = 2 if active else 0
        for why in setting.why:
            yield from comment(why, indent)
        *above, name = setting.key
        if active:
            yield f"{'':{indent}}# {name}: {scalar(setting.value)}"
        else:
            yield f"# {above[0]}: {{{name}: {scalar(setting.value)}}}"


def _key(name: str, value: Any, indent: int) -> Iterator[str]:  # noqa: ANN401 - whatever YAML holds
    key = scalar(name)
    if isinstance(value, list) and len(value) > 1:
        yield f"{'':{indent}}{key}:"
        yield from (f"{'':{indent}}  - {scalar(item)}" for item in value)
    else:
        yield f"{'':{indent}}{key}: {scalar(value)}"
