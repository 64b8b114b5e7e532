"""Texts of which it is known which are near-duplicates, and how well a clustering tells them.

Words follow Zipf's law, so unrelated texts share the frequent ones as real ones do. Texts have 40 to 3,000 words of
their own, half of them under 300, and around these the header and the footer of their site. One in eight has
near-duplicates, mostly one to five, sometimes sixty: copies, edits of 1 to 10 % of the words (each replaced, removed or
followed by another), and a twentieth to a quarter of the words in a row removed, moved or added; one in ten of these
on another site. What is planted follows from the seed alone.
"""

import random
from itertools import accumulate

import numpy as np

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class PlantedTexts:
    """Text after text, by `text`; which belong together, by `families`.

    Args:
        count: How many texts there are.
        around: Words of a header or a footer: between these.
    """

    def __init__(self, count, seed, around=(10, 40), vocabulary=50_000):
        self._draw = np.random.default_rng(seed)
        self._words = np.array(_vocabulary(vocabulary, seed), object)
        self._ends = np.array(list(accumulate(1 / (rank + 2.7) for rank in range(vocabulary))))
        sites = max(5, count // 1_000)
        self._sites = [[self._some(int(self._draw.integers(*around))) for _ in range(2)] for _ in range(sites)]
        popular = np.cumsum(1 / np.arange(1, sites + 1))
        self._popular = popular / popular[-1]
        self._own, self._site, families = [], [], []
        while len(self._own) < count:
            families += [len(self._own)] * self._plant()
        order = self._draw.permutation(count)
        self._order = order.tolist()
        #: (count,): the same number for texts that belong together, for no others
        self.families = np.array(families)[:count][order]

    def text(self, number):
        """One of the texts."""
        number = self._order[number]
        head, foot = self._sites[self._site[number]]
        return " ".join(self._words[np.concatenate([head, self._own[number], foot])])

    def _some(self, count):
        drawn = np.searchsorted(self._ends, self._draw.random(count) * self._ends[-1])
        return np.minimum(drawn, len(self._ends) - 1).astype(np.int32)

    def _any_site(self):
        return int(np.searchsorted(self._popular, self._draw.random()))

    def _plant(self):
        """A text, and what belongs to it."""
        draw = self._draw
        own, site, size = self._some(int(np.clip(draw.lognormal(5.7, 0.8), 40, 3_000))), self._any_site(), 0
        if draw.random() < 0.12:
            size = int(draw.geometric(0.4)) if draw.random() < 0.98 else 60
        self._own += [own, *(self._variant(own) for _ in range(size))]
        self._site += [site, *(site if draw.random() < 0.9 else self._any_site() for _ in range(size))]
        return 1 + size

    def _variant(self, own):
        kind = self._draw.random()
        if kind < 0.1:
            return own
        if kind < 0.75:
            return self.edited(own, self._draw.uniform(0.01, 0.1))
        length = max(5, int(len(own) * self._draw.uniform(0.05, 0.25)))
        at = int(self._draw.integers(0, len(own) - length + 1))
        before, block, after = np.split(own, [at, at + length])
        rest = np.concatenate([before, after])
        if kind < 0.83:
            return rest
        if kind < 0.92:
            return np.insert(rest, int(self._draw.integers(0, len(rest) + 1)), block)
        return np.concatenate([before, self._some(length), block, after])

    def edited(self, own, part):
        """A text with a part of its words edited."""
        count = max(1, round(len(own) * part))
        places, kinds = self._draw.permutation(len(own))[:count], self._draw.integers(0, 3, count)
        own, fresh = own.copy(), self._some(count)
        own[places[kinds == 0]] = fresh[kinds == 0]
        own = np.insert(own, places[kinds == 1] + 1, fresh[kinds == 1]) if (kinds == 1).any() else own
        return np.delete(own, places[kinds == 2])


def scores(families, labels):
    """Precision and recall of the pairs that have the same label."""
    both = _pairs(families * (int(labels.max()) + 1) + labels)
    return both / max(1, _pairs(labels)), both / max(1, _pairs(families))


def _pairs(labels):
    sizes = np.unique(labels, return_counts=True)[1].astype(float)
    return float((sizes * (sizes - 1) / 2).sum())


def _vocabulary(count, seed):
    """Words, the frequent ones shorter."""
    chance, found = random.Random(seed), {}
    while len(found) < count:
        found["".join(chance.choices(_LETTERS, k=2 + len(found).bit_length() // 3 + chance.randint(0, 4)))] = None
    return list(found)
