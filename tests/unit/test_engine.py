"""When the engine takes a crawl for ended, whatever is under way meanwhile."""

from types import SimpleNamespace

from crawler.engine import Engine
from crawler.parts import Parts, Settings


def engine_of_hosts_set_aside():
    """One whose hosts have all given their pages, as far as the policy knows."""
    parts = dict.fromkeys(Parts.__dataclass_fields__)
    parts["policy"] = SimpleNamespace(stopped_by=None, all_set_aside="budget.pages_per_host")
    parts["ledger"] = SimpleNamespace(open=1)
    parts["committer"] = SimpleNamespace(snoozing=0)
    parts["parser"] = SimpleNamespace(lanes=1)
    engine = Engine(Parts(**parts), Settings(concurrency=1, body_bytes=1))
    engine._seeded = True
    return engine


def test_crawl_of_hosts_set_aside_has_ended_once_nothing_else_can_come():
    assert engine_of_hosts_set_aside()._is_spent(None)
    assert not engine_of_hosts_set_aside()._is_spent(5.0), "something is snoozed until then"


def test_url_stored_as_snoozed_since_the_frontier_was_asked_keeps_the_crawl_going():
    engine = engine_of_hosts_set_aside()
    engine._changed.set()  # as a checkpoint does when it is done
    assert not engine._is_spent(None)
