"""The web that changes says itself what a visit must find, and answers conditions as RFC 9110 has it."""

from __future__ import annotations

import pytest

from tests.support.changing import STYLES, ChangingWeb, Planted
from tests.support.hits import Hit


def asked(web, host, path, **conditions):
    hit = Hit(0.0, f"h{host}.test", path, "", "127.0.0.1", 1, **conditions)
    return web.respond_to(hit, 1)


def validators(reply):
    names = {"ETag": "if_none_match", "Last-Modified": "if_modified_since"}
    return {names[name]: value for name, value in reply.headers if name in names}


@pytest.mark.parametrize("host", range(len(STYLES)))
def test_a_page_is_modified_once_it_changed_and_not_before(host):
    web = ChangingWeb(hosts=len(STYLES))
    first = asked(web, host, "/pages/3")
    conditions = validators(first)
    assert bool(conditions) == (web.style(host) not in ("same", "noisy"))
    again = asked(web, host, "/pages/3", **conditions)
    assert again.status == (304 if conditions else 200)
    assert again.body == b"" if conditions else (again.body == first.body) == (web.style(host) == "same")
    web.move()
    web.change(host, 3, "boilerplate")
    assert asked(web, host, "/pages/3", **conditions).status == 200


def test_what_is_expected_is_what_was_planted_since_the_last_move():
    web = ChangingWeb(pages_per_host=6)
    web.move()
    web.change(0, 1, "text", "boilerplate")
    web.change(0, 2, "boilerplate")
    web.remove(0, 3, 410)
    new = web.add(0, 4)
    expected = dict.fromkeys(web.seeds() + [web.url(0, number) for number in (2, 4, 5)], Planted("unchanged"))
    expected |= {web.url(0, 1): Planted("changed", frozenset({"text"})), web.url(0, 3): Planted("gone")}
    assert web.expected() == expected | {web.url(0, new): Planted("new")}
    web.move()
    web.restore(0, 3)
    web.remove(0, new, "/")
    assert web.expected()[web.url(0, 3)] == Planted("back")
    assert web.expected()[web.url(0, new)] == Planted("gone")
    web.move()
    assert web.url(0, new) not in web.expected()
    assert asked(web, 0, f"/pages/{new}").status == 301
