"""Others may say of each request that it must wait, or what is to be made in its place."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from crawler.models import Kind, Outcome, Response, Robots
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for


def ok(request, clock=None):
    return Response(url=request.url, status=200)


def run(refusal, clock=None):
    clock = clock or FakeClock()
    desk = FrontDesk(policy_for(clock, refusal=refusal), clock, ok, lambda url: Robots())
    desk.add(*(request_for(f"https://a.test/{n}", n) for n in range(3)))
    return desk.run()


def pages_of(desk):
    return [span.request for span in desk.log if span.request.kind is Kind.PAGE]


def test_request_put_off_is_made_later_and_holds_nobody_up():
    clock, asked = FakeClock(), Counter()

    def twice_later(request):
        asked[request.url] += 1
        return clock.now + 5.0 if request.url.endswith("1") and asked[request.url] < 3 else None

    desk = run(twice_later, clock)
    assert asked["https://a.test/1"] == 3
    assert set(desk.ends.values()) == {Outcome.FETCHED}
    assert [request.url[-1] for request in pages_of(desk)] == ["0", "2", "1"]
    assert desk.smallest_gap_s("a.test") >= 1.0


def test_crawl_whose_last_requests_are_put_off_ends_all_the_same():
    clock = FakeClock()
    began = clock.now
    desk = run(lambda request: clock.now + 1.0 if clock.now < began + 10 else "trap", clock)
    assert set(desk.ends.values()) == {"trap"}
    assert pages_of(desk) == []


def test_request_is_made_in_the_form_that_others_give_it():
    made = pages_of(run(lambda request: replace(request, watched=True)))
    assert len(made) == 3
    assert all(request.watched for request in made)
