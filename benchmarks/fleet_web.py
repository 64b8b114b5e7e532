"""What would be crawled, in the simulation of `fleet`? Hosts with names as real ones, and how many URLs each has.

How many URLs a host has follows a power law, as Huberman and Adamic found for the pages of sites ("Growth dynamics of
the World-Wide Web", Nature 401, 1999): the number of hosts with n is proportional to n to the power of -1.65 in
Infoseek's crawl, of -1.85 in Alexa's. By such a law some hosts would have millions, so each has `most` at most, as
`budget.pages_per_host` sets. The smallest size is what brings the sum to what is asked for.

How many hosts a registrable domain has follows a power law too, with a mean of 1.9: Common Crawl had pages of 100
million hosts of 53 million domains in January 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crawler.fleet.partitions import partition_of
from crawler.models import HostKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

HOSTS_A_DOMAIN = 2.5  #: exponent: numbers of hosts with a mean of 1.95
LARGEST_DOMAIN = 20_000

SYLLABLES = (
    *("al", "an", "ar", "ba", "bel", "ber", "bo", "ca", "co", "da", "de", "do", "el", "en", "fa", "fi", "ga", "go"),
    *("ha", "in", "ka", "ki", "la", "le", "li", "lo", "ma", "mi", "mo", "na", "ne", "no", "pa", "pe", "ra", "re", "ri"),
    *("ro", "sa", "se", "si", "so", "ta", "te", "ti", "to", "ve", "vi"),
)
SUFFIXES = (  #: with how often; the last are private ones, below which each name is somebody else's
    *(("com", 46), ("org", 10), ("net", 8), ("de", 8), ("co.uk", 5), ("ru", 4), ("fr", 4), ("com.br", 3), ("nl", 3)),
    *(("it", 3), ("co.jp", 2), ("github.io", 2), ("blogspot.com", 2)),
)
LABELS = ("www", "blog", "shop", "news", "en", "m", "support", "forum", "docs", "mail")


@dataclass(frozen=True)
class Web:
    """Hosts by number, and what there is of each."""

    names: list[HostKey]
    urls: NDArray[np.int64]  #: of each host
    partition: NDArray[np.int64]  #: of each host
    partitions: int  #: how many there are


def web(hosts: int, urls: int, partitions: int, *, exponent: float, most: int, seed: int = 1) -> Web:
    """Some hosts with this many URLs together, as nearly as whole numbers allow.

    Args:
        exponent: Of the power law, over 1.
        most: URLs of a host at most.
    """
    drawn = np.random.default_rng(seed)
    sizes = _sizes(drawn, hosts, urls, exponent=exponent, most=most)
    called = [HostKey(name) for name in names(drawn, hosts)]
    numbers = (partition_of(name, partitions) for name in called)
    return Web(called, sizes, np.fromiter(numbers, np.int64, hosts), partitions)


def largest_without_bound(hosts: int, urls: int, exponent: float) -> float:
    """URLs of the largest host, if nothing bounded them: that of a million that a power law makes likely."""
    ranks = np.arange(1, hosts + 1, dtype=np.float64)
    share = ranks ** (-1 / (exponent - 1))
    return float(urls * share[0] / share.sum())


def names(drawn: np.random.Generator, hosts: int) -> Iterator[str]:
    """Distinct host names, those of a domain together."""
    suffixes, weights = zip(*SUFFIXES, strict=True)
    given = number = 0
    while given < hosts:
        sizes = np.minimum(drawn.zipf(HOSTS_A_DOMAIN, 10_000), LARGEST_DOMAIN).tolist()
        ends = drawn.choice(suffixes, len(sizes), p=np.array(weights) / sum(weights)).tolist()
        for size, suffix in zip(sizes, ends, strict=True):
            domain = f"{spelt(number)}.{suffix}"
            number += 1
            for label in range(min(size, hosts - given)):
                yield f"{LABELS[label]}.{domain}" if label < len(LABELS) else f"s{label}.{domain}"
            given += min(size, hosts - given)


def spelt(number: int) -> str:
    """A number as a word of three syllables and more, another for each."""
    word = ""
    number += len(SYLLABLES) ** 2
    while number:
        number, at = divmod(number, len(SYLLABLES))
        word += SYLLABLES[at]
    return word


def _sizes(drawn: np.random.Generator, hosts: int, urls: int, *, exponent: float, most: int) -> NDArray[np.int64]:
    """Bounded Pareto: the scale that gives the sum is found by halving."""
    law = (1 - drawn.random(hosts)) ** (-1 / (exponent - 1))
    if not hosts <= urls <= hosts * most:
        raise SystemExit(f"{hosts:,} hosts of 1 to {most:,} URLs cannot have {urls:,}")
    low, high = 0.0, float(most)
    for _ in range(60):
        scale = (low + high) / 2
        if np.clip(law * scale, 1, most).sum() < urls:
            low = scale
        else:
            high = scale
    return np.clip(law * high, 1, most).astype(np.int64)
