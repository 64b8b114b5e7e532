"""What do the class and id of an element say of its being main text?

Words are those between hyphens, underscores, digits and changes of case: ``siteFooter`` says footer. They are kept few,
and none is taken at its word: `main_text` compares what they mark with the rest of the page.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NOT_MAIN = """
nav navi navbar navigation menu submenu subnav subnavigation topnav megamenu dropdown flyout offcanvas hamburger
breadcrumb breadcrumbs crumb crumbs pagination pager paging toolbar skip
footer foot colophon masthead copyright legal disclaimer
sidebar widgets popular trending recirc recirculation nocontent
share sharing shareblock sharebar sharedaddy social
related relatedposts recommended recommendation recommendations teasers outbrain taboola
comment comments commentlist recentcomments respond replies disqus feedback
cookie cookies consent gdpr popup modal lightbox overlay tooltip screenreader noprint
promo promotion promotions advert ads advertisement adsense sponsor sponsored
newsletter subscribe subscription signup gform login signin search filters unfurl authorbox
"""
NOT_MAIN = frozenset(_NOT_MAIN.split())
"""Words for what stands beside the main text, on pages of any kind."""

_NOT_PROSE = """
author authors bio byline meta metadata postmetadata metaline date datetime timestamp published posted headline
caption imagedescription credit credits reviews tags categories listing cta button buttons btn
ad box infobox notice
"""
NOT_PROSE = frozenset(_NOT_PROSE.split())
"""Words for what stands beside an article's prose, but may be what a page that is no article consists of."""

REMARKS = frozenset(("comment", "comments", "commentlist", "replies"))
"""Those of `NOT_MAIN` that on a forum mark the main text."""

_HIDDEN = frozenset(
    ("hidden", "hide", "is-hidden", "d-none", "invisible", "sr-only", "visually-hidden", "visuallyhidden")
) | {"screen-reader-text"}
#: of WordPress, but Elementor calls each part of a page one
_WIDGET = "widget"
#: a class for some screens only, ``md:block`` or ``d-lg-flex``: what is hidden on others is shown on those
_RESPONSIVE = re.compile(r":|-(?:xs|sm|md|lg|xl|xxl)-|^(?:visible|show)-")
_TOLD = _HIDDEN | {_WIDGET}
_AGAINST = frozenset(map(str.encode, NOT_MAIN | NOT_PROSE))
_CHANGE_OF_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: letters in lower case, all else as a space
_LETTERS = bytes(ord(chr(code).lower()) if chr(code).isascii() and chr(code).isalpha() else 32 for code in range(256))
_MAX_CHARS = 400
"""Of a class: more is machine-made, and not worth its time."""

_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def words_against(names: str) -> frozenset[str]:
    """The words in a class or id that speak against main text. A site's pages have the same: they are remembered."""
    names = names[:_MAX_CHARS]
    parted = names if names.islower() else _CHANGE_OF_CASE.sub(" ", names)
    words = parted.encode("ascii", "replace").translate(_LETTERS).split()
    if not _AGAINST.isdisjoint(words):
        return frozenset([word.decode() for word in _AGAINST.intersection(words)])
    classes = names.lower().split()
    if _TOLD.isdisjoint(classes):
        return _NONE
    if _WIDGET in classes:
        return frozenset((_WIDGET,))
    hidden = _HIDDEN.intersection(classes)
    if hidden and not any(map(_RESPONSIVE.search, classes)):
        return frozenset(("hidden",))
    return _NONE
