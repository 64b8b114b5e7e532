"""What does a document tell its reader to do? Its blocks in order, each a step with a place.

A block's language says what it is: none, `sh`, `bash` or `console` are commands; they, `python`, `yaml`, `ini` (a unit
of systemd) and `text` are files where the first line is a comment with the file's name (`# crawl.yaml`), and scripts
are run then; `sql` is asked of a crawl's database; `crontab` are lines of one. YAML without a name is a part of a
configuration or of rules. For people to read are what is in DATA, and what has no language and no line that begins with
a program's name. Indented blocks are commands if they have such a line, and YAML otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

SHELL = ("", "sh", "bash", "console")
FILES = ("python", "yaml", "ini", "text", "sh", "bash")
RUN = ("python", "yaml", "sql", "ini", "crontab")
DATA = ("text", "html", "json", "jsonl", "application/json", "application/rss+xml")
"""Pages, records and output: shown, not done. Those of docs/rules.md are compared by tests/unit/test_rules_docs.py."""

MAP = "crawler/\n"
"""How the map of the package begins: tests/crawl/test_readme.py compares it."""

_PROGRAMS = (
    r"\.|cat|cd|chmod|cp|crawler|curl|docker|duckdb|echo|eval|exec|export|git|head|jq|journalctl|kill|make|mkdir|mv|pip|"
    r"printf|pytest|python3?|rm|ruff|source|sqlite3|ssh|sudo|tail|timeout|zcat|zstd"
)
_TYPED = re.compile(rf"(?m)^(?:[A-Z_]+=\S* )*(?:{_PROGRAMS})\s")

_NAME = re.compile(r"# (?P<path>/?[\w@./-]*\.\w+)(?=\s|$)")


@dataclass(frozen=True)
class Step:
    """One command, or one block."""

    document: str
    line: int  #: from 1, in the document
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.text.splitlines()[0][:60]}"

    @property
    def is_command(self) -> bool:
        """Whether it is typed into a shell."""
        return self.language in SHELL

    @property
    def file_name(self) -> str | None:
        """The file that a block is, by its first line."""
        named = _NAME.match(self.text) if self.language in FILES else None
        return named["path"] if named else None


def steps(path: Path) -> list[Step]:
    """What the document at `path` has its reader do, from top to bottom."""
    found: list[Step] = []
    document = path.relative_to(ROOT).as_posix()
    for token in MarkdownIt().parse(path.read_text()):
        if token.type not in ("fence", "code_block") or token.content.startswith(MAP):
            continue
        fenced, typed = token.type == "fence", _TYPED.search(token.content)
        first = token.map[0] + (2 if fenced else 1)
        language = token.info.strip() if fenced else "" if typed else "yaml"
        block = Step(document, first, language, token.content.rstrip("\n"))
        is_output = language in DATA or (not language and not typed)
        if is_output and not block.file_name:
            continue
        if block.is_command and not block.file_name:
            found += (Step(document, first + at, "sh", command) for at, command in _commands(block.text))
        else:
            found.append(block)
    return found


def _commands(text: str) -> list[tuple[int, str]]:
    r"""The commands of a block with the lines they start on: a line each, or several that end in ``\``."""
    commands, lines, start = [], [], 0
    for at, line in enumerate(text.splitlines()):
        start = start if lines else at
        lines.append(line)
        if not line.endswith("\\"):
            command = "\n".join(lines).strip()
            lines = []
            if command and not command.startswith("#"):
                commands.append((start, command))
    return commands


def spoken(path: Path) -> list[str]:
    """What sentences and tables have in backquotes, each on one line."""
    tokens = MarkdownIt().enable("table").parse(path.read_text())
    inline = [child.content for token in tokens for child in token.children or () if child.type == "code_inline"]
    return [" ".join(text.split()) for text in inline]
