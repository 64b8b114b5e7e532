"""What might be typed next? Answers the scripts that `crawler completion` prints, and knows what arguments take.

A script hands over the line up to the cursor, and gets a line for each proposal, of three fields with tabs between:
what it is, the word, and what it means. ``plain`` is a whole word, ``part`` one that goes on (``robots.obey=``),
``file`` and ``dir`` ask the shell for names. Nothing is read here but names of files, and no configuration is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

from crawler.wording import printable

if TYPE_CHECKING:
    from click import Context, Parameter

_NOT_RECORDS = ("outcomes", "links", "sitemaps", "seeds", "files", "runs")


def directories(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Names of folders."""
    return [CompletionItem(incomplete, type="dir")]


def paths(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Names of files."""
    return [CompletionItem(incomplete, type="file")]


def settings(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """``KEY=`` for each key of a configuration, and then what it takes where that can be listed."""
    from crawler.config.keys import keys  # noqa: PLC0415 - what is typed is mostly something else

    name, sign, begun = incomplete.partition("=")
    if not sign:
        return [
            CompletionItem(f"{key.name}=", type="part", help=key.description)
            for key in keys()
            if key.name.startswith(name)
        ]
    choices = next((key.choices for key in keys() if key.name == name), ())
    return [CompletionItem(f"{name}={choice}") for choice in choices if choice.startswith(begun)]


def record_names(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """What a crawl's directory has records of: pages, and each of its rules."""
    folder = ctx.params.get("directory")
    if folder is None:
        return []
    names = {path.name.partition(".")[0] for path in Path(folder).glob("*.jsonl*") if ".rejects." not in path.name}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete) and name not in _NOT_RECORDS]


class _Lines(ShellComplete):
    """A shell whose script is one of `crawler completion`."""

    source_template = ""  # that is for the command to print

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one at the cursor, and that one as far as it goes."""
        line = os.environ.get("CRAWLER_COMPLETION_LINE", "")
        words = split_arg_string(line)[1:]
        incomplete = "" if not words or line[-1:].isspace() else words.pop()
        return words, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """As click finds them, which looks at what is after ``--set=``; a shell takes words whole."""
        self._typed = incomplete
        option, sign, _ = incomplete.partition("=")
        found = super().get_completions(args, incomplete)
        if sign and option.startswith("--"):
            for item in found:
                item.value = f"{option}={item.value}"
        return found

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """One line."""
        return f"{item.type}\t{printable(str(item.value))}\t{printable(item.help or '')}"


class _Bash(_Lines):
    """Begins a new word at each ``=`` and ``:``: only what is after the last one is replaced."""

    name = "bash"

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """One line, without what stands before the word as bash sees it, nor a meaning, which it does not show."""
        begun = self._typed[: max(self._typed.rfind("="), self._typed.rfind(":")) + 1]
        return f"{item.type}\t{printable(str(item.value).removeprefix(begun))}"


class _Zsh(_Lines):
    name = "zsh"


class _Fish(_Lines):
    name = "fish"


def answer_shells() -> None:
    """Have click answer the scripts of `crawler completion`."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)
