"""How does hypothesis make inputs for a target? Of its words and seeds, parts of them, and bytes that are neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.fuzz.target import MAX_BYTES

if TYPE_CHECKING:
    from tests.fuzz.target import Target


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs for `target`."""
    tokens = st.sampled_from(target.tokens)
    pieces = st.one_of(tokens, tokens, tokens, st.binary(max_size=4), tokens.map(lambda token: token * 40))
    mixed = st.lists(pieces, max_size=30).map(b"".join)
    if not target.seeds:
        return mixed
    return st.one_of(st.binary(max_size=40), mixed, broken(target, mixed), broken(target, pieces))


@st.composite
def broken(draw: st.DrawFn, target: Target, pieces: st.SearchStrategy[bytes]) -> bytes:
    """The beginning of a seed, something else, and the end of another."""
    first, last = (draw(st.sampled_from(target.seeds))[:MAX_BYTES] for _ in range(2))
    end = first[: draw(st.integers(0, len(first)))], last[draw(st.integers(0, len(last))) :]
    return draw(pieces).join(end)
