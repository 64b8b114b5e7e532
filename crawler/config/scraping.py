"""What may a scraping rule say? The words of ``extract.rules``, as they are read; `crawler.extract.rules` obeys them.

A rule file is a YAML list of these, or a map with one under ``rules``.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, field

from crawler.config.base import Section

Type = Literal["str", "int", "float", "decimal", "bool", "date", "datetime", "url", "list", "object"]
Priority = Annotated[int, Meta(ge=0, le=63)]
Argument = str | int | float | bool | None

RESERVED: Final = ("pages", "outcomes", "links", "sitemaps", "seeds", "runs", "files", "warc", "changes")
"""Names of files that a crawl has or may have besides those of its rules."""


class MatchConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pages a rule is for: those that satisfy each key given."""

    url: Annotated[
        tuple[str, ...], Meta(description="Globs (* and ?) on the whole URL, or /RE2/; one of them must match.")
    ] = ()
    css: Annotated[str | None, Meta(description="A CSS selector that must be present (HTML only).")] = None
    json: Annotated[
        str | None, Meta(description="A JMESPath expression that must have a value (JSON and XML only).")
    ] = None
    type: Annotated[
        Literal["html", "json", "xml"] | None, Meta(description="What the response must be; null: any of the three.")
    ] = None


class FieldConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a value comes from, what is made of it, and what it must be.

    One source: css, json, const, url, carried, any, or fields alone. A text instead of a map is its css.
    """

    css: Annotated[str | None, Meta(description="A CSS selector below the item; empty: the item itself.")] = None
    attr: Annotated[str | None, Meta(description="Take this attribute of the element instead of its content.")] = None
    take: Annotated[
        Literal["text", "own_text", "lines", "html", "inner_html", "markdown"],
        Meta(
            description="What to take of the element: its text on one line, that text without its children's, its text "
            "a line a block, its HTML, the HTML within it, or Markdown."
        ),
    ] = "text"
    json: Annotated[
        str | None, Meta(description="A JMESPath expression on the item, or on what `in` names; @ is all of it.")
    ] = None
    in_: Annotated[
        str | None,
        Meta(
            description="Where json looks on an HTML page: json_ld, or json_ld:Product for the first object of that "
            "type; opengraph; microdata; a script's CSS selector; or a variable that a script assigns, as "
            "js:window.__STATE__."
        ),
    ] = field(default=None, name="in")
    const: Annotated[Argument, Meta(description="This value.")] = None
    url: Annotated[
        str | None,
        Meta(
            description="Part of the page's URL: url, scheme, host, port, domain, path, path.N (segment, from 0; "
            "negative from the end), query or query.NAME; segments and NAME without percent-encoding."
        ),
    ] = None
    carried: Annotated[str | None, Meta(description="What the listing that led here handed over by this name.")] = None
    any: Annotated[
        tuple[str | FieldConfig, ...] | None, Meta(description="Alternatives; the first that has a value counts.")
    ] = None
    fields: Annotated[
        dict[str, str | FieldConfig] | None, Meta(description="An object of these, below what css or json selects.")
    ] = None
    many: Annotated[bool, Meta(description="All that match, as a list; otherwise the first.")] = False
    regex: Annotated[
        str | None, Meta(description="RE2; its first group, or all it matches, counts. What does not match is none.")
    ] = None
    transform: Annotated[
        tuple[str | dict[str, Argument | tuple[str, ...] | dict[str, Argument | tuple[str, ...]]], ...],
        Meta(description="What is done to each value, in order: see docs/rules.md."),
    ] = ()
    type: Annotated[
        Type | None, Meta(description="What the value must be; null: text, or for json whatever is there.")
    ] = None
    required: Annotated[bool, Meta(description="Without a value the record is rejected.")] = False
    default: Annotated[Argument | tuple[Argument, ...], Meta(description="What stands where there is no value.")] = None


class EachConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Items of an HTML page that are not elements but values of JSON in it."""

    json: Annotated[str, Meta(description="A JMESPath expression that gives the items.")] = ""
    in_: Annotated[str, Meta(description="Where it looks, as of a field.")] = field(default="", name="in")


class FollowConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Links to take next from pages that a rule matches. A text instead of a map is its css."""

    css: Annotated[
        str | None,
        Meta(
            description="Links, or elements around them: below each item where something is carried, else anywhere on "
            "the page. Without css and json, all links there."
        ),
    ] = None
    attr: Annotated[str, Meta(description="The attribute that holds the URL.")] = "href"
    json: Annotated[
        str | None, Meta(description="JMESPath that gives URLs, on JSON and XML, or in items that are JSON.")
    ] = None
    url: Annotated[tuple[str, ...], Meta(description="Only URLs that one of these globs or /RE2/ matches.")] = ()
    priority: Annotated[Priority, Meta(description="0 first, 63 last; other links have 32.")] = 32
    carry: Annotated[
        tuple[str, ...], Meta(description="Fields of the item to hand to the page; `carried` takes them there.")
    ] = ()


class SkipConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Links not to take from pages that a rule matches. A text instead of a map is one url pattern."""

    url: Annotated[tuple[str, ...], Meta(description="Globs or /RE2/ on the URL.")] = ()
    css: Annotated[str | None, Meta(description="Links, or elements around them.")] = None


class RuleConfig(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records some pages give, and where they lead."""

    name: Annotated[str, Meta(description="Names its file, <name>.jsonl: letters, digits, '_' and '-'.")] = ""
    match: Annotated[
        str | tuple[str, ...] | MatchConfig | None,
        Meta(description="URL patterns, or a map of url, css, json and type; null: every page."),
    ] = None
    each: Annotated[
        str | EachConfig | None,
        Meta(
            description="What selects the items of a page: CSS; on JSON and XML JMESPath; or a map of json and in, for "
            "JSON on an HTML page. null: the page is one."
        ),
    ] = None
    fields: Annotated[dict[str, str | FieldConfig], Meta(description="Of each item.")] = field(default_factory=dict)
    follow: Annotated[
        tuple[str | FollowConfig, ...] | None,
        Meta(description="The only links to take from these pages; null: all, as from other pages; []: none."),
    ] = None
    skip: Annotated[tuple[str | SkipConfig, ...], Meta(description="Links not to take from these pages.")] = ()
    unique: Annotated[
        tuple[str, ...], Meta(description="Fields that are a record's key; `crawler export` keeps one of each key.")
    ] = ()


def as_field(given: str | FieldConfig) -> FieldConfig:
    """A field or an alternative, for which a text stands for its css."""
    return FieldConfig(css=given) if isinstance(given, str) else given


def as_match(given: str | tuple[str, ...] | MatchConfig | None) -> MatchConfig:
    """What is under ``match``, where texts stand for its url."""
    if isinstance(given, MatchConfig):
        return given
    return MatchConfig(url=(given,) if isinstance(given, str) else given or ())


def as_follow(given: str | FollowConfig) -> FollowConfig:
    """An entry of ``follow``, for which a text stands for its css."""
    return FollowConfig(css=given) if isinstance(given, str) else given


def as_skip(given: str | SkipConfig) -> SkipConfig:
    """An entry of ``skip``, for which a text stands for a pattern."""
    return SkipConfig(url=(given,)) if isinstance(given, str) else given
