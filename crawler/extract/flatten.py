"""Which pages would take the parser minutes, and what is parsed in their stead?

Building the tree takes time that grows with the square of three things: how deep elements are nested (each start tag
looks through all open elements: 100,000 ``<div>`` take 12 s), how many attributes a tag has (each is compared with all
before it: likewise), and how many names attributes have in all. No real page has much of any of them, so `flattened`
looks at a page only long enough to tell, at samples of it, then at the names of its tags. One that may have
too much is gone through tag by tag, and written anew within limits:

- beyond `MAX_DEPTH` open elements, an element ends where its first child begins, so that both have the same parent.
  That is what Blink does at the same depth (``kMaximumHTMLParserDOMTreeDepth``, html_construction_site.cc);
- beyond `MAX_ATTRIBUTES` of a tag, and beyond `MAX_NAMES` in a document, attributes are left out.

Which elements are open is told by a rough reading of tags, whose mistakes matter on such pages alone. Known weakness: a
page that knows where the samples are, or that misleads the rough reading, passes as it is. Then ``parse.deadline`` ends
it, as it ends whatever else takes too long.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract.flatten_page import MAX_ATTRIBUTES, MAX_DEPTH, SINGLE, UNCOUNTED, Flattened, Flattening, attributes

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN_BYTES = 64 * 1024  # what is smaller takes 0.3 s at worst
_LARGE_BYTES = 1024**2
_STEP_BYTES, _SAMPLE_BYTES, _LARGE_SAMPLE_BYTES = 16 * 1024, 128, 1024
_NAMES_STEP_BYTES = 64 * 1024
_MAX_UNCLOSED = 2_000  # start tags that lack an end tag, so far; void elements are among them
_MAX_UNENDED = 4  # samples in a row without an end of a tag
_MAX_SAMPLED_NAMES = 300

_NAMED = re.compile(rb"[\s\"'/]([a-zA-Z_:@*#(\[][^\s=<>\"'/]*+)[=>]")
_NAME = re.compile(rb"<(/?[a-zA-Z][a-zA-Z0-9-]*+)")


def flattened(utf8: bytes) -> Flattened:
    """`utf8` itself, or where the parser would take too long, HTML that says nearly the same."""
    if len(utf8) <= PLAIN_BYTES:
        return Flattened(utf8)
    is_large = len(utf8) > _LARGE_BYTES
    has_names = is_large and _has_many_names(utf8)
    may_be_deep, gaps = _suspicions(utf8, _LARGE_SAMPLE_BYTES if is_large else _SAMPLE_BYTES)
    if has_names or (may_be_deep and _is_deep(utf8)) or (gaps and _has_long_tag(utf8, gaps)):
        return Flattening(utf8, has_names=has_names).result()
    return Flattened(utf8)


def _suspicions(utf8: bytes, sample_bytes: int) -> tuple[bool, list[int]]:
    """Whether elements may be nested deep, as far as samples tell, and where no tag ends for a long while.

    In each sample a start tag or two may lack its end: void elements do, and others that end by themselves.
    """
    spared = max(1, sample_bytes // 512)
    most = _MAX_UNCLOSED * sample_bytes // _STEP_BYTES
    unclosed = unended = highest = 0
    gaps = []
    for at in range(0, len(utf8), _STEP_BYTES):
        sample = utf8[at : at + sample_bytes]
        if b">" not in sample:
            unended += 1
            if unended == _MAX_UNENDED:
                gaps.append(at)
            continue
        unended = 0
        unclosed += sample.count(b"<") - 2 * sample.count(b"</") - spared
        if unclosed < 0:
            unclosed = 0
        elif unclosed > highest:
            highest = unclosed
    return highest > most, gaps


def _has_long_tag(utf8: bytes, gaps: list[int]) -> bool:
    """Whether at one of `gaps` is a tag with too many attributes; what looks like one in a script is none."""
    for at in gaps:
        start = utf8.find(b"<", utf8.rfind(b">", 0, at) + 1, at)
        if start >= 0 and utf8[start + 1 : start + 2].isalpha():
            script = utf8.rfind(b"<script", 0, start)
            is_script = script >= 0 and utf8.find(b"</script", script, start) < 0
            if not is_script and _are_many(attributes(utf8, start + 1)):
                return True
    return False


def _are_many(named: Iterable[object]) -> bool:
    """Whether a tag's name and attributes are more than are kept."""
    return sum(1 for _ in islice(named, MAX_ATTRIBUTES + 2)) > MAX_ATTRIBUTES + 1


def _is_deep(utf8: bytes) -> bool:
    """Whether more elements are open somewhere than on any real page, going by the names of tags alone.

    Those that end by themselves are not counted, as there is always another one around them.
    """
    unclosed: Counter[bytes] = Counter()
    n_single = 0
    for at in range(0, len(utf8), _STEP_BYTES):
        names = Counter(_NAME.findall(utf8[at : at + _STEP_BYTES].lower()))
        for name, count in names.items():
            if name in SINGLE:
                n_single += count
            elif name[:1] == b"/":
                unclosed[name[1:]] -= count
            elif name not in UNCOUNTED:
                unclosed[name] += count
        for name in [name for name, count in unclosed.items() if count <= 0]:
            del unclosed[name]
        if unclosed.total() > MAX_DEPTH // 2 or n_single > MAX_ATTRIBUTES:
            return True
    return False


def _has_many_names(utf8: bytes) -> bool:
    """Whether its attributes seem to have many names."""
    names: set[bytes] = set()
    for at in range(0, len(utf8), _NAMES_STEP_BYTES):
        names.update(_NAMED.findall(utf8, at, at + _SAMPLE_BYTES))
    return len(names) > _MAX_SAMPLED_NAMES
