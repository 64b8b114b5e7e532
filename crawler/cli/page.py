"""How is the help of a command laid out? Like a manual page: what it does, its arguments, options in groups, examples,
files, exit codes, and where to read on.

The texts are in `manual`, by the command's name, and loaded when somebody asks for help.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler.cli.completing import paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.cli.manual import Manual


class Page(click.Command):
    """A command whose help has more than options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Arguments, and then options by group; those of no group come last."""
        manual = self._manual()
        _definitions(formatter, "Arguments", manual.arguments)
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        told = {_key(param): record for param in options if (record := param.get_help_record(ctx)) is not None}
        for title, names in manual.groups.items():
            _definitions(formatter, title, dict(told.pop(name) for name in names if name in told))
        _definitions(formatter, "Other options" if manual.groups else "Options", dict(told.values()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What comes after the options."""
        manual = self._manual()
        _lines(formatter, "Examples", manual.examples)
        _definitions(formatter, "Files", manual.files)
        _definitions(formatter, "Exit codes", {str(code): told for code, told in manual.exits.items()})
        _lines(formatter, "See also", manual.see)

    def _manual(self) -> Manual:
        from crawler.cli.manual import MANUALS, Manual  # noqa: PLC0415 - only help needs the texts

        return MANUALS.get(self.name or "", Manual())


def _key(param: click.Parameter) -> str:
    """Its longest option."""
    return max(param.opts, key=len)


def _definitions(formatter: click.HelpFormatter, title: str, told: Mapping[str, str]) -> None:
    if told:
        with formatter.section(title):
            formatter.write_dl(list(told.items()), col_max=26)


def _lines(formatter: click.HelpFormatter, title: str, lines: Sequence[str]) -> None:
    """As they are: a command must be one line to be copied."""
    if lines:
        with formatter.section(title):
            for line in lines:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


pages_elsewhere = click.option(
    "--pages",
    type=click.Path(path_type=Path),
    metavar="FILE",
    shell_complete=paths,
    help="Page records of `crawl -o FILE`.",
)
"""The option of commands that read a crawl whose page records may lie in a file of the user's own."""
