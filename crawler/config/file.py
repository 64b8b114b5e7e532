"""How does a YAML file become a `CrawlConfig`, and a `CrawlConfig` a YAML text?

All mistakes are found in one go and raised together, each with its place. The syntax is for `crawler.config.tree`,
types for `crawler.config.values` (which also says how ``no``, ``012`` and their like are read), everything else a value
must satisfy for `crawler.config.rules`.

``KEY=VALUE`` overrides are laid over the file before it is read: KEY is dotted, a name that holds dots stands in
brackets and quotes (``limits.hosts["*.example.org"].delay=2s``), VALUE is YAML and replaces what was there.
An override is called ``--set N`` in messages, or by the option that stands for it.
"""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from crawler.config import BUILT_IN_PACE, CrawlConfig, Section
from crawler.config.rule_files import as_configuration, is_rule_file, with_rules
from crawler.config.rules import problems
from crawler.config.secrets import masked
from crawler.config.tree import MAX_NESTING, List, Map, Mistake, Place, Text, contents, decoded, read_tree
from crawler.config.values import Reading, is_null
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import Pace
    from crawler.config.tree import Node

Override = str | tuple[str, str]
"""``KEY=VALUE``, or an option (``--delay``) and the ``KEY=VALUE`` it stands for, whose VALUE must not be empty."""

_SEGMENT: Final = re.compile(r"""(?:^|\.)([A-Za-z_][\w-]*)|\[(?:"([^"]*)"|'([^']*)')\]""")


class ConfigMistakesError(ConfigError):
    """Everything wrong with one configuration, a line each.

    Args:
        mistakes: At least one, in the order of the file, overrides last.
    """

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        lines = [str(mistake) for mistake in self.mistakes]
        return lines[0] if len(lines) == 1 else "\n".join((f"{len(lines)} mistakes", *lines))


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and where it came from."""

    config: CrawlConfig
    #: the file as written; overrides are not in it
    text: str
    #: what relative paths in the configuration start from
    folder: Path


def load(path: Path, overrides: Sequence[Override] = (), *, or_rules: bool = False) -> Loaded:
    """Read the file at `path` and lay `overrides` over it. With `or_rules` it may be a file of scraping rules alone.

    Raises:
        ConfigError: The file cannot be read; as `ConfigMistakesError`, what it says cannot be used.
    """
    try:
        data = contents(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: expected a configuration file") from error
    mistakes: list[Mistake] = []
    text = decoded(data, str(path), mistakes)
    if text is None:
        raise ConfigMistakesError(tuple(mistakes))
    return Loaded(_read(text, path, overrides, or_rules=or_rules), text, path.parent)


def loads(text: str, name: str, overrides: Sequence[Override] = ()) -> Loaded:
    """Read `text`, called `name` in messages, and lay `overrides` over it.

    Relative paths in it start from the current folder.

    Raises:
        ConfigMistakesError: What `text` and `overrides` say cannot be used.
    """
    return Loaded(_read(text, name, overrides), text, Path())


def dump(config: CrawlConfig) -> str:
    """`as_written`, as YAML with every key, in documented order; `loads` reads back what is equal to that.

    Letters of any language are as they are, unless there is something that a terminal would obey or not show.
    """
    plain = to_plain(as_written(config))
    text = ""
    for allow_unicode in (True, False):
        text = yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=allow_unicode, width=10_000)
        if all(map(str.isprintable, text.split("\n"))):
            break
    return text


def as_written(config: CrawlConfig) -> CrawlConfig:
    """`config` as it is stored and shown: what ``limits.default`` leaves out is filled in, secrets are left out."""
    limits = msgspec.structs.replace(config.limits, default=_filled(config.limits.default))
    return masked(msgspec.structs.replace(config, limits=limits))


def to_plain(config: Section) -> dict[str, Any]:
    """`config`, or a section of one, as lists, dicts and scalars under its YAML keys, secrets included.

    Durations, sizes and rates are as written.
    """
    plain: dict[str, Any] = msgspec.to_builtins(config, enc_hook=_written)
    return plain


def _filled(pace: Pace) -> Pace:
    """`pace` with what is built in where it says nothing; a delay and a rate exclude one another."""
    paced = pace.delay_s is not None or pace.rate_per_s is not None
    return msgspec.structs.replace(
        pace,
        delay_s=pace.delay_s if paced else BUILT_IN_PACE.delay_s,
        concurrency=pace.concurrency or BUILT_IN_PACE.concurrency,
        jitter_s=BUILT_IN_PACE.jitter_s if pace.jitter_s is None else pace.jitter_s,
    )


def _written(value: object) -> str | int:
    """A duration, size or rate for YAML, where a bare number needs no quotes."""
    text = str(value)
    return int(text) if text.isdecimal() else text


def _read(text: str, source: Path | str, overrides: Sequence[Override], *, or_rules: bool = False) -> CrawlConfig:
    """What `text` says, which stands in a file or is just called something."""
    name = str(source)
    mistakes: list[Mistake] = []
    tree = read_tree(text, name, mistakes)
    root: Node = Map(Place(name, 1, 1), {}) if tree is None or is_null(tree) else tree
    if is_rule_file(root):
        if not or_rules:
            expected = "expected keys and values, such as name: value; scraping rules go below extract: {rules: FILE}"
            what = "a list" if isinstance(root, List) else "rules alone"
            raise ConfigMistakesError((*mistakes, Mistake(root.place, "", expected, what)))
        root = as_configuration(root)
    numbers = count(1)
    for override in overrides:
        if isinstance(override, str):
            root = _overridden(root, override, Text(Place(f"--set {next(numbers)}"), ""), mistakes)
        else:
            option, setting = override
            root = _overridden(root, setting, Text(Place(option), "", quoted=True), mistakes)
    root = with_rules(root, source.parent if isinstance(source, Path) else Path(), mistakes)
    reading = Reading(mistakes)
    config = reading.section(root, CrawlConfig)
    unread = [mistake.key for mistake in mistakes]
    for problem in problems(config):
        if any(key == problem.key or key.startswith((f"{problem.key}.", f"{problem.key}[")) for key in unread):
            continue  # what seems to be missing or wrong is what could not be read
        place = reading.places.get(problem.key, Place(name))
        mistakes.append(Mistake(place, problem.key, problem.expected, problem.value))
    if mistakes:
        raise ConfigMistakesError(tuple(sorted(mistakes, key=lambda mistake: _order(mistake.place))))
    return config


def _order(place: Place) -> tuple[bool, Place]:
    return not place.line, place


def _overridden(root: Node, override: str, empty: Text, mistakes: list[Mistake]) -> Node:
    """`root` with one ``KEY=VALUE`` laid over it; `empty` is what no VALUE means, at the override's place."""
    place = empty.place
    path, rest = _key_path(override)
    if not 1 <= len(path) <= MAX_NESTING or not rest.startswith("="):
        expected = 'expected KEY=VALUE; a name with dots goes in brackets: limits.hosts["*.example.org"].delay=2s'
        name, _, secret = override.partition("=")
        mistakes.append(Mistake(place, "", expected, f"{name}=…" if name and secret else override))
        return root
    if any("\ud800" <= character <= "\udfff" for name in path for character in name):  # of bytes that were no UTF-8
        mistakes.append(Mistake(place, "", "expected UTF-8", override.partition("=")[0]))
        return root
    found: list[Mistake] = []
    value = read_tree(rest[1:], place.name, found, lines=False) or empty
    key = override[: len(override) - len(rest)]
    shown = "…" if path[0] in ("fetch", "frontier") else rest[1:]  # which may hold a secret
    mistakes.extend(Mistake(place, key, mistake.expected, shown) for mistake in found)
    return root if found else _replaced(root, path, value)


def _replaced(node: Node, path: list[str], value: Node) -> Map:
    """A copy of `node` with `value` at `path`; what is shared by aliases elsewhere keeps its old value."""
    entries = dict(node.entries) if isinstance(node, Map) else {}
    name, *below = path
    if below:
        old = entries[name][1] if name in entries else Map(value.place, {})
        value = _replaced(old, below, value)
    entries[name] = (value.place, value)
    return Map(node.place, entries)


def _key_path(override: str) -> tuple[list[str], str]:
    """The names of a dotted key, and what follows it."""
    names: list[str] = []
    end = 0
    while match := _SEGMENT.match(override, end):
        names.append(next(name for name in match.groups() if name is not None))
        end = match.end()
    return names, override[end:]
