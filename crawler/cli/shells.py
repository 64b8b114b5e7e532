"""What might be typed next? Answers the scripts that `crawler completion` prints.

A script hands over the line up to the cursor, and gets a line for each proposal, of three fields with tabs between:
what it is, the word, and what it means. ``plain`` is a whole word, ``part`` one that goes on (``robots.obey=``),
``file`` and ``dir`` ask the shell for names. What arguments take is known to `completing`.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

from crawler.wording import printable


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
