"""A window of few hosts over many: who rests keeps nobody out, and comes back in time."""

import pytest

from crawler.models import Kind, Outcome, Response, Robots
from tests.support.clock import FakeClock
from tests.support.frontdesk import FrontDesk
from tests.support.policies import policy_for, request_for

WINDOW = 20


def ok(request, clock=None):
    return Response(url=request.url, status=200)


def resting(wait=b"3600"):
    """A server of which every host but ``good.test`` asks once to be left alone."""
    asked = set()

    def answer(request, clock):
        if request.host_key == "good.test" or request.host_key in asked:
            return ok(request)
        asked.add(request.host_key)
        return Response(url=request.url, status=503, headers=((b"retry-after", wait),))

    return answer


def desk_for(answer=ok, **options):
    clock = FakeClock()
    return FrontDesk(policy_for(clock, window=WINDOW, **options), clock, answer, lambda url: Robots())


def pages(count, host):
    return [request_for(f"https://{host}/{n}", n) for n in range(count)]


@pytest.mark.parametrize("obey", [True, False])  # what is asked for a rest is a robots.txt, or a page
def test_hosts_that_rest_for_long_keep_no_other_out(obey):
    desk = desk_for(resting(), obey=obey)
    desk.add(*[page for n in range(3 * WINDOW) for page in pages(3, f"h{n}.test")])
    desk.add(*pages(3, "good.test"))
    begun = desk.clock.now
    desk.run(until=begun + 60)
    assert len(desk.begun("good.test")) == 3 + obey
    assert {span.request.host_key for span in desk.log} == {"good.test", *(f"h{n}.test" for n in range(3 * WINDOW))}
    desk.run()
    assert len(desk.ends) == 9 * WINDOW + 3
    assert set(desk.ends.values()) == {Outcome.FETCHED}
    assert desk.clock.now < begun + 3600 + 120
    assert len(desk.refills) < 3600 + 120


@pytest.mark.parametrize("obey", [True, False])
def test_resting_host_is_asked_again_when_its_time_has_come(obey):
    desk = desk_for(resting(b"100"), obey=obey)
    desk.add(*pages(2, "h1.test"))
    desk.run()
    first, second, *_ = desk.begun("h1.test")
    assert 100 <= second.begin - first.end < 101


def test_url_put_off_with_its_host_has_used_up_no_attempt():
    desk = desk_for(resting(b"100"), obey=False)
    desk.add(*pages(2, "h1.test"))
    desk.run()
    assert [request.url for request in desk.put_off] == ["https://h1.test/1"]
    assert [span.request.attempt for span in desk.begun("h1.test")] == [1, 2, 1]


def test_rests_win_a_host_no_further_attempts_at_its_robots_txt():
    def answer(request, clock):
        return Response(url=request.url, status=503, headers=((b"retry-after", b"100"),))

    desk = desk_for(answer)
    desk.add(*[page for n in range(2 * WINDOW) for page in pages(2, f"h{n}.test")])
    desk.run()
    assert [span.request.attempt for span in desk.begun("h1.test")] == [1, 2, 3, 4]
    assert set(desk.ends.values()) == {"robots_unreachable"}
    assert len(desk.ends) == 4 * WINDOW


def test_robots_txt_at_a_host_that_rests_for_long_makes_no_other_host_wait():
    def answer(request, clock):
        if request.host_key == "busy.test":
            return Response(url=request.url, status=429, headers=((b"retry-after", b"3000"),))
        return Response(url=request.url, status=301, headers=((b"location", b"https://busy.test/robots.txt"),))

    desk = desk_for(answer)
    desk.add(*[page for n in range(2 * WINDOW) for page in pages(2, f"h{n}.test")])
    begun = desk.clock.now
    desk.run()
    assert len(desk.begun("busy.test")) == 1
    assert set(desk.ends.values()) == {"robots_unreachable"}
    assert desk.clock.now < begun + 60


def test_request_for_robots_txt_goes_on_where_it_was_when_its_host_has_rested():
    def answer(request, clock):
        if request.url == "http://a.test/robots.txt":
            return Response(url=request.url, status=301, headers=((b"location", b"https://a.test/robots.txt"),))
        if request.kind is Kind.ROBOTS and request.attempt == 1:
            return Response(url=request.url, status=503, headers=((b"retry-after", b"100"),))
        return ok(request)

    desk = desk_for(answer)
    desk.add(request_for("http://a.test/"))
    desk.run()
    assert [span.request.url[:5] for span in desk.log] == ["http:", "https", "https", "http:"]
    assert set(desk.ends.values()) == {Outcome.FETCHED}


def test_first_url_of_a_new_crawl_does_not_wait_for_a_question_about_other_hosts():
    policy = policy_for(FakeClock())
    policy.turn(10)  # before the seed list has been read
    policy.wake("a.test")
    assert policy.turn(10).unknown == ["a.test"]
