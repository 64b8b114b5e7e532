"""Any facts whatever make a page, and none of them makes it do anything."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import inspect
from selectolax.lexbor import LexborHTMLParser

from crawler.report.facts import Report
from crawler.report.page import MAX_BYTES, html

pytestmark = pytest.mark.slow

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(("", "</script><script>x()</script>", "<!--", "https://a.test/", "]]>", "\ud800", "\u202e")),
    st.text(max_size=20).map("https://a.test/".__add__),
)


def of_type(kind):  # noqa: PLR0911 -- one for each sort of type
    """Values of a type as msgspec describes it."""
    match kind:
        case inspect.Metadata(type=described):
            return of_type(described)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StrType():
            return TEXTS
        case inspect.IntType():
            return st.one_of(st.integers(0, 20), st.integers(0, 2**62))
        case inspect.FloatType():
            return st.one_of(st.floats(0, 1e4), st.floats(0, 1e18))
        case inspect.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case inspect.VarTupleType(item_type=item):
            return st.lists(of_type(item), max_size=3).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*map(of_type, items))
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(of_type(key), of_type(value), max_size=3)
        case inspect.UnionType(types=types):
            return st.one_of(*map(of_type, types))
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: of_type(field.type) for field in fields})
    return {inspect.NoneType: st.none, inspect.BoolType: st.booleans}[type(kind)]()


@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a report takes minutes to be made small
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(of_type(inspect.type_info(Report)))
def test_any_facts_make_a_page_that_does_nothing(report):
    page = html(report)
    assert len(page) <= MAX_BYTES
    drawn = LexborHTMLParser(page.decode())
    assert [len(drawn.css(name)) for name in ("html", "main", "script", "style", "img")] == [1, 1, 1, 1, 0]
    assert drawn.css_first("footer"), "the page is whole"
    assert all(
        node.attributes["href"].startswith(("#", "http://", "https://", "data:,")) for node in drawn.css("[href]")
    )
