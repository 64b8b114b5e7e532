"""The command line: a file per command, exit codes, and the only choice of event loop.

Commands are imported when they are called: `crawler --help` must not wait for an HTTP client.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import click

from crawler.errors import ConfigError, CrawlerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS = {
    "crawl": "Crawl a seed list into a directory of JSONL.",
    "check": "Validate a configuration and print what will apply.",
    "why": "Say what happened to a URL, and where it was found.",
    "status": "Show a crawl that workers share, and tell it what to do.",
    "try": "Show what one page would give.",
    "merge": "Make one crawl of the files of several workers.",
    "reparse": "Extract again from an archive, without fetching.",
    "report": "Write a page on what a crawl came to.",
    "export": "Write records as Parquet, CSV, SQLite or JSON Lines.",
    "query": "Ask a crawl in SQL.",
    "mine": "Find near-duplicates, keywords, important pages, dead links.",
    "diff": "Say in what two crawls differ.",
    "init": "Write a commented crawl.yaml and seeds.txt; --from URL proposes them.",
    "demo": "Crawl a small bundled shop on this machine.",
    "schema": "Print the JSON Schema of the configuration or of a record.",
    "doctor": "Check this installation and machine, and say what to do.",
    "completion": "Print a script that completes what is typed, for bash, zsh or fish.",
}

GROUPS = {
    "First steps": ("init", "demo", "doctor", "completion"),
    "Before a crawl": ("check", "try", "schema"),
    "Crawl": ("crawl", "status", "why"),
    "Afterwards": ("merge", "report", "query", "export", "mine", "diff", "reparse"),
}
"""How help shows them; what is in no group comes last."""

OK = 0
FAILED = 1
USAGE = 2
NO_SEED = 3
INCOMPLETE = 4
INTERRUPTED = 130

_STDERR = 2


class _Lazy(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name == "help":
            return _help
        if cmd_name not in COMMANDS:
            return None
        name = "try_" if cmd_name == "try" else cmd_name  # a keyword names neither module nor function
        module = importlib.import_module(f"crawler.cli.{name}")
        return cast("click.Command", getattr(module, name))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands, none of which is imported for that, and the options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        found = [CompletionItem(name, help=told) for name, told in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. A pipe that nobody reads is answered for by `run`: click would end the process with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            return _failed(error)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        left = dict(COMMANDS)
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<10}", left.pop(name)) for name in names if name in left])
        if left:
            with formatter.section("Others"):
                formatter.write_dl([(f"{name:<10}", told) for name, told in left.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crawler", message="%(prog)s %(version)s")
def cli() -> None:
    """A polite web crawler: a seed list and a YAML file in, JSONL that can be trusted out.

    Begin with `crawler init`, `crawler demo` or `crawler crawl example.org --max-pages 10`. `crawler COMMAND --help`
    tells all of a command.

    \b
    Exit codes: 0 complete, or stopped by a budget; 1 the program or its machine
    failed; 2 usage or configuration; 3 no seed could be fetched; 4 complete, but
    some URLs failed for reasons a retry may mend; 130 interrupted.
    """


@click.command(name="help", add_help_option=False)
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def _help(ctx: click.Context, name: str | None) -> None:
    """Show the help of a command."""
    from crawler.cli.out import tell  # noqa: PLC0415

    group = ctx.parent or ctx
    if name is None:
        tell(group.get_help())
        return
    _, command, _ = cli.resolve_command(group, [name])
    if command is not None:
        tell(command.get_help(click.Context(command, info_name=name, parent=group)))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its code; `run` is for those who want to go on.

    Args:
        arguments: Those of a program that calls this; the process's own if None.
    """
    from crawler.cli.out import guard_stderr  # noqa: PLC0415  (it imports this)

    if arguments is None:
        _hold_standard_streams()
    guard_stderr()
    codes: list[int] = []
    # Whoever was there before us wants to have the last word, and a program of someone else's an end of its own.
    if arguments is None and not atexit._ncallbacks():  # noqa: SLF001
        atexit.register(_leave, codes)
    codes.append(run(arguments))
    sys.exit(codes[0])


def _hold_standard_streams() -> None:
    """Give the number of a standard stream that is closed to nothing else; to Python it stays closed.

    What is written to standard error at the end of a process would go into a file of the crawl, and libuv aborts the
    process where it closes a socket of that number.
    """
    with contextlib.suppress(OSError):
        while (held := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            os.set_inheritable(held, True)  # noqa: FBT003
        os.close(held)


def _leave(codes: Sequence[int]) -> None:
    """End a process that has done all there is to do, without taking every object down: that may take long.

    As the first one registered it is the last thing called at exit.
    """
    with contextlib.suppress(OSError, ValueError):  # of which Python tells in its own way, after this
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        if codes:  # else an error ended it, which Python has told
            os._exit(codes[0])


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code. Messages for people go to stderr."""
    if "_CRAWLER_COMPLETE" in os.environ:
        from crawler.cli.shells import answer_shells  # noqa: PLC0415 - only a shell asks for it

        answer_shells()
    typed = tuple(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(arguments, prog_name="crawler", standalone_mode=False, obj=typed)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        _show_usage(error)
        return USAGE
    except ImportError as error:
        if (error.name or "crawler").partition(".")[0] == "crawler":
            raise
        return _failed(CrawlerError(f"{error}: an installation that is not whole; crawler doctor says what to do"))
    except Exception as error:
        from crawler.shortage import shortage  # noqa: PLC0415 - loaded by all that could run short of anything

        failure = shortage(error) or error
        if not isinstance(failure, CrawlerError | OSError):
            raise
        return _failed(failure)
    return code if isinstance(code, int) else OK


def typed_command() -> str:
    """How `crawler` can be called here: the folder it is installed in is not always on the PATH."""
    if shutil.which("crawler"):
        return "crawler"
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m crawler"
    return shlex.quote(sys.argv[0])


def _show_usage(error: click.ClickException) -> None:
    """What click says of a command line that cannot be meant, which it quotes."""
    from crawler.cli.out import tell  # noqa: PLC0415  (help needs none of it)

    text = io.StringIO()
    error.show(text)
    if (close := _close_choice(error)) is not None:
        text.write(f"Did you mean {close}?\n")
    with contextlib.suppress(OSError):
        tell(text.getvalue().expandtabs(4), err=True, end="")


def _close_choice(error: click.ClickException) -> str | None:
    """Of the commands, or of what an argument may be, that which is most like what was given."""
    from difflib import get_close_matches  # noqa: PLC0415

    given = re.search(r"'([^']*)'", error.message.rpartition(": ")[2])
    if isinstance(error, click.BadParameter) and error.param is not None and isinstance(error.param.type, click.Choice):
        known = [str(choice) for choice in error.param.type.choices]
    elif isinstance(error, click.UsageError) and error.message.startswith("No such command"):
        known = list(COMMANDS)
    else:
        return None
    close = get_close_matches(given[1], known, 1) if given else []
    return close[0] if close else None


def _failed(error: CrawlerError | OSError) -> int:
    """Say what ended the command; its exit code."""
    if isinstance(error, OSError):
        # what could not be written would be tried once more, with a traceback, while flushing at exit
        with contextlib.suppress(AttributeError, OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return INTERRUPTED
    from crawler.cli.out import tell  # noqa: PLC0415

    with contextlib.suppress(OSError):
        notes = getattr(error, "__notes__", ())
        tell("\n".join((f"crawler: {error}", *notes)), err=True)
    return USAGE if isinstance(error, ConfigError) else FAILED
