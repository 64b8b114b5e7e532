"""Markdown of parts of pages, read back by a CommonMark parser that is not ours."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from crawler.extract import markdown as module
from crawler.extract.markdown import markdown, rendered
from crawler.extract.text import visible

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def body(html):
    return LexborHTMLParser(html.encode(errors="replace")).body


def of(html, **more):
    return markdown([body(html)], **more)


def read_back(text):
    return body(READER.render(text))


def plain(node):
    texts = [one.text_content for one in node.traverse(include_text=True) if one.is_text_node]
    return "".join(visible("".join(texts)).split())


BLOCKS = [
    ("<h1>One</h1><h3>Three</h3>", "# One\n\n### Three"),
    ("<h2> a<br>b <b>c</b></h2>", "## a b **c**"),
    ("<p>a<p> b\n c", "a\n\nb c"),
    ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
    ("a<br>b<br><br>c", "a\\\nb\n\nc"),
    ("<ul><li>a<li>b</ul>", "- a\n- b"),
    ("<p>x<ul><li>a</ul><p>y", "x\n\n- a\n\ny"),
    ("<ul><li>a<ul><li>b<li>c</ul><li>d</ul>", "- a\n  - b\n  - c\n- d"),
    ("<ul><li><p>a<p>b<li>c</ul>", "- a\n\n  b\n- c"),
    ("<ul><li></ul><ul> </ul>", ""),
    ("<ul><li>a</ul><ul><li>b</ul><ul><li>c</ul>", "- a\n\n* b\n\n- c"),
    ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
    ("<ol start=9><li>a<li>b<ol start=2><li>c</ol></ol>", "9. a\n10. b\n\n    2. c"),
    ("<ol start=x><li>a</ol><ol><li>b</ol>", "1. a\n\n1) b"),
    ("<blockquote>a<p>b</blockquote><blockquote>c</blockquote>", "> a\n>\n> b\n\n> c"),
    ("<blockquote><ul><li>a<li>b</ul></blockquote>", "> - a\n> - b"),
    ("<ul><li><blockquote>a<p>b</blockquote></ul>", "- > a\n  >\n  > b"),
    ("<pre>a\n  b &lt;\n\n</pre>", "```\na\n  b <\n```"),
    ("<pre> \n </pre>", ""),
    ("<pre>a ``` ````</pre>", "`````\na ``` ````\n`````"),
    ("<pre><code class='hljs language-python'>x</code></pre>", "```python\nx\n```"),
    ("<div class='highlight-c++ notranslate'><div class=highlight><pre>x</pre></div></div>", "```c++\nx\n```"),
    ("<pre class='brush: php; toolbar: false'>x</pre>", "```php\nx\n```"),
    ("<pre class='language-none'>x</pre>", "```\nx\n```"),
    ("<pre class='lang-a`b'>x</pre>", "```\nx\n```"),
    ("<pre><div>a</div><div>b</div>c<br>d</pre>", "```\na\nbc\nd\n```"),
    ("<pre><span class=linenos>1 </span>a</pre>", "```\na\n```"),
    ("<table><tr><td class=linenos><pre>1</pre><td><pre>x</pre></table>", "```\nx\n```"),
    ("<ul><li><pre>a\n\nb</pre></ul>", "- ```\n  a\n\n  b\n  ```"),
    ("a<hr>b", "a\n\n---\n\nb"),
    ("<ul><li><hr></ul>", "- ___"),
    ("<dl><dt>a<dd>b<dd>c<dt>d<dd><ul><li>e</ul></dl>", "- **a**\n\n  b\n\n  c\n- **d**\n  - e"),
    ("<dl><dd>b</dl>", "- b"),
    ("<dl><div><dt>a</dt><dd>b</dd></div></dl>", "- **a**\n\n  b"),
    ("<script>x</script><style>x</style><template>x</template><svg><text>x</text></svg>a", "a"),
    ("<select><option>x</select><button>x</button><textarea>x</textarea>", ""),
    ("<!-- x -->a<!-- y -->", "a"),
    ("<details><summary>a</summary>b</details>", "a\n\nb"),
]


@pytest.mark.parametrize(("html", "expected"), BLOCKS)
def test_block_becomes(html, expected):
    assert of(html) == expected


INLINE = [
    ("a <b> b </b>c", "a **b** c"),
    ("<b></b><i> </i>a", "a"),
    ("<b>a</b><b>b</b>", "**ab**"),
    ("<strong><b>a</b></strong>", "**a**"),
    ("<i>a</i> x<i>y</i>z", "_a_ x*y*z"),
    ("<b><i>a</i></b>", "**_a_**"),
    ("<b>a<i>b</i></b>", "**ab**"),
    ("<b>Note:</b>text", "Note:text"),
    ("<b>Note:</b> text", "**Note:** text"),
    ("<s>a</s>", "~~a~~"),
    ("<b>a<p>b</b>", "**a**\n\n**b**"),
    ("<code>a</code>", "`a`"),
    ("<code>`a</code> <code>``</code>", "`` `a `` ``` `` ```"),
    ("<code>a</code><code>b</code><b><code>c</code></b>`<code>d</code>", "`ab`**`c`**\\``d`"),
    ("<code> a\n b </code><code></code>", "`a b`"),
    ("<a href=/x>a <b>b</b></a>", "[a **b**](/x)"),
    ("<a href=/x></a><a href=/y> </a>", ""),
    ("<a href='/x (y)'>a</a>", r"[a](/x%20\(y\))"),
    ("<a href='/?a=b&amp;amp;c&amp;d'>a</a>", r"[a](/?a=b\&amp;c&d)"),
    ("<a href='/<ä>'>a</a>", "[a](/%3Cä%3E)"),
    ("<a href='javascript:x()'>a</a>", "a"),
    ("<a href='#x'>a</a><h2>b<a class=headerlink href='#b'>¶</a></h2>", "a\n\n## b"),
    ("<a href=/x><h2>a</h2><p>b</a>", "## [a](/x)\n\n[b](/x)"),
    ("<img src=/a.png alt='a [b]'>", r"![a \[b\]](/a.png)"),
    ("<img alt=a><img src=/x width=1><img src='data:image/gif;x'>", ""),
    ("<img src='data:image/gif;x' data-src=/real.png>", "![](/real.png)"),
    ("<a href=/x><img src=/a.png alt=a></a>", "[![a](/a.png)](/x)"),
    ("Wow!<a href=/x>a</a>", r"Wow\![a](/x)"),
    ("<q>a</q>", '"a"'),
    ("a&shy;b", "ab"),
    ("a&nbsp; b", "a b"),
]


@pytest.mark.parametrize(("html", "expected"), INLINE)
def test_markup_within_a_line_becomes(html, expected):
    assert of(html) == expected


TABLES = [
    ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ("<table><tr><td>a<td>b<tr><td>1<td>2</table>", "|  |  |\n| --- | --- |\n| a | b |\n| 1 | 2 |"),
    ("<table><caption>c</caption><tr><th>a<tr><td>1</table>", "c\n\n| a |\n| --- |\n| 1 |"),
    ("<table><tr><th colspan=2>a<tr><td>1<td>2</table>", "| a |  |\n| --- | --- |\n| 1 | 2 |"),
    (
        "<table><tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3</table>",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n|  | 3 |",
    ),
    (
        "<table><tr><th>a|b<th><code>|</code><tr><td>1<br>2<p>3<td><ul><li>x<li>y</ul></table>",
        "| a\\|b | `\\|` |\n| --- | --- |\n| 1 2 3 | x y |",
    ),
    ("<table><tr><th>a<tr><td rowspan=x colspan=99999>1</table>", "| a |\n| --- |\n| 1 |"),
    ("<table><tr><th><tr><td></table>", ""),
    ("<table><tr><td>a<td>b</table>", "a b"),
    ("<table><tr><td>a<tr><td>b</table>", "a\n\nb"),
    ("<table><tr><td><h2>a</h2><td>b<tr><td>c</table>", "## a\n\nb\n\nc"),
    ("<table role=presentation><tr><th>a<th>b</table>", "a b"),
    ("<table><tr><td><table><tr><th>a<th>b</table><td>c</table>", "| a | b |\n| --- | --- |\n\nc"),
    ("<ul><li>x<table><tr><th>a<th>b</table></ul>", "- x\n\n  | a | b |\n  | --- | --- |"),
]


@pytest.mark.parametrize(("html", "expected"), TABLES)
def test_table_becomes(html, expected):
    assert of(html) == expected


TEXTS = [
    ("# a", r"\# a"),
    ("1. a", r"1\. a"),
    ("2024) a", r"2024\) a"),
    ("- a", r"\- a"),
    ("+", r"\+"),
    ("> a", r"\> a"),
    ("---", r"\---"),
    ("a<br>===", "a\\\n\\==="),
    ("a | b<br>--- | ---", "a | b\\\n\\--- | ---"),
    ("~~~", r"\~\~\~"),
    ("```", r"\`\`\`"),
    ("*a* _b_ snake_case", r"\*a\* \_b\_ snake_case"),
    ("[a](b) [c][d] [1] [e]: f", r"[a\](b) [c\][d] [1] [e\]: f"),
    ("&lt;b> a < b &lt;!", r"\<b> a < b \<!"),
    ("&amp;amp; &amp;#1; a & b AT&T", r"\&amp; \&#1; a & b AT&T"),
    (r"C:\dir \* \\", r"C:\dir \\\* \\\\"),
    ("3 * 4", r"3 \* 4"),
    ("#a 1.5 -a", "#a 1.5 -a"),
]


@pytest.mark.parametrize(("html", "expected"), TEXTS)
def test_text_that_looks_like_markup_is_escaped(html, expected):
    assert of(f"<p>{html}") == expected
    assert plain(read_back(expected)) == plain(body(html))


def test_references_are_resolved_and_those_without_a_url_left_out():
    html = "<a href=x>a</a> <a href=mailto:b>b</a> <img src=i> <img src=cid:1>"
    shown = of(html, resolve=lambda href: None if ":" in href else f"https://example.org/{href}")
    assert shown == "[a](https://example.org/x) b ![](https://example.org/i)"


def test_elements_to_be_skipped_leave_a_gap():
    root = body("<p>a<nav>b<p>c</nav>d<div><i id=x>e</i></div>")
    skip = {root.css_first("nav").mem_id, root.css_first("#x").mem_id}
    assert markdown([root], skip) == "a\n\nd"


def test_several_parts_follow_one_another():
    root = body("<h1>a</h1><nav>b</nav><p>c</p><table><tr><td>d")
    assert markdown([root.css_first("h1"), root.css_first("p"), root.css_first("td")]) == "# a\n\nc\n\nd"


def test_what_follows_a_part_is_not_taken_in():
    assert markdown([body("<p>a<p>b").css_first("p")]) == "a"


# The parser takes quadratic time over these.
BLOCK_TAGS = ("div", "ul><li", "ol><li", "blockquote", "dl><dd", "dl><dt", "table><tr><td", "h1", "pre")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tag", "times"),
    [*((tag, 100_000) for tag in ("b", "i", "s", "a href=x", "span", "code")), *((tag, 3_000) for tag in BLOCK_TAGS)],
)
def test_nesting_has_no_depth_that_matters(tag, times):
    shown = of(f"<{tag}>x " * times)
    assert "x" in shown
    assert len(shown) < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "html",
    [
        "<a href=x>y</a>" * 50_000,
        "*_`[]<&~\\" * 50_000,
        "<br>a" * 50_000,
        "<b>a<i>b</b>c</i>" * 20_000,
        "<table><tr>" + "<td colspan=1000 rowspan=1000>a" * 20_000,
        "<table><tr><th>a" + "<tr><td>a" * 20_000,
        "<pre>" + "`" * 200_000,
        "<pre>" + "\n" * 200_000 + "x",
        "<p " + " ".join(f"a{n}=1" for n in range(3_000)) + ">x",
        "<ul>" + "<li>a" * 50_000,
        "a\0\ud800b" * 50_000,
    ],
)
def test_much_of_one_thing_is_no_trouble(html):
    assert len(of(html)) < 20_000_000


def test_output_is_bounded_and_says_so(monkeypatch):
    monkeypatch.setattr(module, "MAX_CHARS", 1000)
    shown, is_cut = rendered([body("<p>word word" * 1000)], resolve=lambda _: "https://example.org/" + "x" * 100)
    assert is_cut
    assert len(shown) < 1100
    assert rendered([body("<p>word word")]) == ("word word", False)
    shown, is_cut = rendered([body("<a href=x>y</a>" * 1000)], resolve=lambda _: "https://example.org/" + "x" * 100)
    assert is_cut
    assert len(shown) < 1300
    shown, is_cut = rendered(
        [body("<table><tr><th>" + "<td><img src=x>" * 1000)], resolve=lambda _: "https://a.example/"
    )
    assert is_cut
    assert len(shown) < 1300


WORDS = st.text(st.sampled_from("ab1. *_`[]()<>!&#;:\\~|-+=\n\"'é\uff08"), max_size=12)
_NAMES = """
p div b i s a code h2 ul ol li blockquote br hr table tr td th dl dt dd span pre img sup details summary
"""
TAGS = _NAMES.split()


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def element(tag, inner):
    start = {"a": "a href='/x'", "img": "img src=/i alt=''"}.get(tag, tag)
    return f"<{start}>{''.join(inner)}</{tag}>"


HTML = st.recursive(
    WORDS.map(escaped),
    lambda inner: st.builds(element, st.sampled_from(TAGS), st.lists(inner, max_size=4)),
    max_leaves=20,
)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(HTML, max_size=4).map("".join))
@example("<p>a</p><p># b</p>")
@example("<ol><li>a</li>b<li>c</li></ol>")
def test_text_reads_back_as_the_text_it_was(html):
    source = body(html)
    shown = markdown([source])
    assert plain(read_back(shown)) == plain(source)
    assert "\0" not in shown


@pytest.mark.slow
@settings(max_examples=100)
@given(st.text(st.characters(codec=None)), st.sampled_from(TAGS))
def test_any_text_reads_back(text, tag):
    source = body(element(tag, [escaped(text)]))
    assert plain(read_back(markdown([source]))) == plain(source)
