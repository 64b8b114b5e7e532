"""What was typed, as it may be kept and shown?

What the configuration would leave out of crawl.yaml (`crawler.config.secrets`) is left out of a command, too, and so
are user and password of any URL and the values of options that are called like a secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from crawler.config.file import loads
from crawler.config.secrets import LEFT_OUT, is_secret, masked
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_USER: Final = re.compile(r"(?<=://)[^/?#\s]*@")
_BARE_USER: Final = re.compile(r"[^/?#@\s:]*:[^/?#\s]*@")
_SET: Final = "--set"


def words_typed() -> tuple[str, ...]:
    """The command that is being run, word by word and without secrets; empty if no command line was."""
    context = click.get_current_context(silent=True)
    words = context.find_object(tuple) if context is not None else None
    return () if words is None else ("crawler", *without_secrets(words))


def without_secrets(words: Iterable[str]) -> Iterator[str]:
    """The words of a command with `LEFT_OUT` for each secret; bytes that are no text are escaped."""
    option = ""
    for word in words:
        text = word.encode(errors="surrogateescape").decode(errors="backslashreplace")
        name, equals, value = text.partition("=")
        if option:
            yield _value(option, text)
            option = ""
        elif equals and name.startswith("--"):
            yield f"{name}={_value(name, value)}"
        else:
            yield _without_user(text)
            option = text if text == _SET or (text.startswith("--") and is_secret(text.strip("-"))) else ""


def _value(option: str, text: str) -> str:
    if option != _SET:
        return LEFT_OUT if is_secret(option.strip("-")) else _without_user(text)
    key, _, _ = text.partition("=")
    try:
        config = loads("", "what was typed", [text]).config
        hidden = masked(config) != config
    except ConfigError:  # which it may be only without the other words
        hidden = key.startswith("fetch")
    if hidden:
        return f"{key}={LEFT_OUT}"
    return text if key.startswith("fetch") else _without_user(text)


def _without_user(text: str) -> str:
    shown = _USER.sub(f"{LEFT_OUT}@", text)
    return shown if shown != text else _BARE_USER.sub(f"{LEFT_OUT}@", text)
