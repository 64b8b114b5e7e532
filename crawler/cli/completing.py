"""What may an argument be? Says so to `shells`, when a shell asks what might be typed next.

Nothing is read here but names of files, and no configuration is loaded; and every command loads this, so click's part
of it is not loaded before it is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem


def directories(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Names of folders."""
    return [_item(incomplete, type="dir")]


def paths(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """Names of files."""
    return [_item(incomplete, type="file")]


def settings(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """``KEY=`` for each key of a configuration, and then what it takes where that can be listed."""
    from crawler.config.keys import keys  # noqa: PLC0415 - what is typed is mostly something else

    name, sign, begun = incomplete.partition("=")
    if not sign:
        return [_item(f"{key.name}=", type="part", help=key.description) for key in keys() if key.name.startswith(name)]
    choices = next((key.choices for key in keys() if key.name == name), ())
    return [_item(f"{name}={choice}") for choice in choices if choice.startswith(begun)]


def record_names(ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG001
    """What a crawl's directory has records of: pages, each of its rules, and more."""
    folder = ctx.params.get("directory")
    if folder is None:
        return []
    names = {path.name.partition(".jsonl")[0] for path in Path(folder).glob("*.jsonl*")}
    return [_item(name) for name in sorted(names) if name.startswith(incomplete)]


def _item(value: str, **more: str) -> CompletionItem[str]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - of the commands that load this, few need it

    return CompletionItem(value, **more)
