"""What must the name of a user's own function be, in ``extract.python``?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from crawler.config.problem import Problem, quoted
from crawler.config.scraping import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.config import ExtractConfig

EXPECTED: Final = "expected package.module:function, of a module beside the configuration or an installed one"
NAME: Final = re.compile(
    r"(?:(?P<folder>.*)/)?(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<function>[A-Za-z_]\w*)", re.ASCII | re.DOTALL
)


def located(extract: ExtractConfig, folder: Path | None) -> ExtractConfig:
    """`extract` with the folder its function is looked for in, so that it is found from anywhere.

    Args:
        folder: Of the configuration; None for the current one.
    """
    if extract.python is None:
        return extract
    return replace(extract, python=str((folder or Path()).absolute() / extract.python))


def function_problems(extract: ExtractConfig) -> Iterator[Problem]:
    """What is wrong with the name, whatever is there under it."""
    name, key = extract.python, "extract.python"
    if name is None:
        return
    match = NAME.fullmatch(name)
    if match is None:
        yield Problem(key, quoted(name), EXPECTED)
    elif match["module"] == "__main__":
        yield Problem(key, name, f"a script is not run again for each parser; {EXPECTED}")
    elif match["function"].casefold() in {*RESERVED, *(rule.name.casefold() for rule in extract.rules)}:
        yield Problem(
            key, name, "expected a function of another name: its file would be a rule's, or one every crawl has"
        )
