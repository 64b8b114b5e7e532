"""What are the keys of a crawl in Redis called?

Every key begins with the crawl's prefix, within a hash tag (``{…}``): Redis Cluster keeps keys of one tag on one node,
where a script may use all of them. What is true of the whole crawl has the tag ``{PREFIX}``, each partition its own,
``{PREFIX:17}``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition."""

    lease: str  #: string with a time to live: the worker's number and the fence
    meta: str  #: hash: fence, commit, urls (the last number given out), a tally for each outcome, clean
    urls: str  #: stream, by commit: blocks of URLs admitted
    ends: str  #: stream, by commit: blocks of ends
    later: str  #: hash: number of a snoozed URL -> when it is due, its attempt, why
    hosts: str  #: hash: host key -> its state
    robots: str  #: hash: origin -> verdict
    inbox: str  #: stream: blocks of URLs that others found


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one crawl."""

    prefix: str

    def of(self, partition: int) -> PartitionKeys:
        """Those of a partition."""
        tag = f"{{{self.prefix}:{partition}}}"
        names = ("lease", "meta", "urls", "ends", "later", "hosts", "robots", "in")
        return PartitionKeys(*(f"{tag}:{name}" for name in names))

    def control(self, name: str) -> str:
        """A key of what is true of the whole crawl."""
        return f"{{{self.prefix}}}:{name}"

    @property
    def events(self) -> str:
        """The channel on which workers tell each other what has changed."""
        return self.control("events")
