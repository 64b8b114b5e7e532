"""Records that are hard on tables: what each kind of value may be at its worst, and what came of them again."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from crawler.extract.record import PageRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXTS = (
    "",
    "plain",
    "NUL \x00 within",
    "line\nends\r\n\u0085\u2028\u2029 of all kinds",
    "quotes \" ' ` and \\ back",
    "=HYPERLINK(1)",
    "'-quoted",
    "null",
    "\ufeffBOM",
    "\U0001d4b3 é e\u0301 \u202e",
    "1.10",
    '{"a": 1}',
    "x" * 3_000,
)
FREE = (
    '[{"@type":"Product","price":1.10,"gtin":123456789012345678901234567890}]',
    r'["half \ud800 a character"]',
    "[1e400,-0.0,12345678901234567890.5,true,null]",
    '[{"a":1,"A":2,"a.b":3,"q\\"":"\\u0000"}]',
    "[]",
)


def page(number: int, filler: str = "") -> bytes:
    """A page record, as a line without its newline."""
    draw = random.Random(number)
    text = draw.choice(TEXTS)
    fields: dict[str, Any] = dict.fromkeys(PageRecord.__struct_fields__)
    fields |= {
        "url": f"https://{number % 97}.example.org/{number}?q={draw.random()}",
        "status": 200,
        "depth": draw.randrange(9),
        "seed": text,
        "redirected_from": draw.choice(((), ("https://a.test/", text))),
        "fetched_at": "2026-01-02T03:04:05.678Z",
        "elapsed_s": draw.choice((0.0, 0.1, 1e-7, 123.456, 5e-324)),
        "body_bytes": draw.choice((0, 2**53 + 1, 2**63 - 1)),
        "title": draw.choice((None, text)),
        "h1": draw.choice((None, [], [text, ""])),
        "headings": draw.choice((None, [{"level": 1, "text": text}, {"level": 6, "text": ""}])),
        "text": filler + text,
        "needs_js": draw.choice((None, True, False)),
        "links": draw.choice((None, [{"url": "https://a.test/", "text": text, "rel": None}] * draw.randrange(4))),
        "tables": draw.choice((None, [{"caption": None, "rows": [["a", text], ["", "b"]]}])),
        "opengraph": draw.choice((None, {}, {"og:image": [text, None], "OG:image": []})),
        "headers": draw.choice((None, {"x-y": text})),
        "truncated": [],
    }
    line = msgspec.json.encode(fields)
    free = draw.choice(FREE)
    return line.replace(b'"json_ld":null', b'"json_ld":' + free.encode()) if number % 3 == 0 else line


def write(path: Path, count: int, filler_bytes: int = 0) -> None:
    """Make a file of so many page records; `filler_bytes` is the length of each one's text."""
    draw = random.Random(1)
    parts = [draw.randbytes(max(1, filler_bytes // 64)).hex() for _ in range(64)]
    with path.open("wb") as file:
        for number in range(count):
            filler = "".join(draw.choices(parts, k=32)) if filler_bytes else ""
            file.write(page(number, filler) + b"\n")


def meant(line: bytes) -> dict[str, Any]:
    """What a record says: absent and null are the same, and numbers are what JSON calls them."""
    return {name: value for name, value in json.loads(line, parse_float=Decimal).items() if value is not None}


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a plain file."""
    with path.open("rb") as file:
        for line in file:
            yield line.removesuffix(b"\n")


def again(row: dict[str, Any], types: dict[str, str], *, nested_text: bool) -> dict[str, Any]:
    """A row of a table as the record it came from, for comparison with `meant`.

    Args:
        row: Column -> value, as another reader decoded it.
        types: Column -> type, as the file tells.
        nested_text: Whether lists and objects are texts of JSON.
    """
    record = {}
    for name, value in row.items():
        if value is None:
            continue
        type_ = types[name]
        is_nested = type_.startswith(("STRUCT", "MAP")) or type_.endswith("]")
        if type_ == "JSON" or (nested_text and is_nested):
            record[name] = json.loads(value, parse_float=Decimal)
        elif type_ == "DOUBLE":
            record[name] = Decimal(repr(value))
        elif type_ == "BOOLEAN":
            record[name] = bool(value)
        else:
            record[name] = value
    return record
