"""What has the demo's shop to tell?"""

from __future__ import annotations

from typing import NamedTuple


class Post(NamedTuple):
    """One article. `mentions` are slugs of products, one of which is sold no more and one renamed."""

    slug: str
    title: str
    author: str
    date: str  #: ISO 8601
    mentions: tuple[str, ...]
    text: str  #: paragraphs, a blank line between them

    @property
    def paragraphs(self) -> list[str]:
        """The text, split."""
        return self.text.strip().split("\n\n")


POSTS: tuple[Post, ...] = (
    Post(
        "choosing-a-notebook",
        "Choosing a Notebook You Will Finish",
        "Ada Brandt",
        "2026-02-03",
        ("pocket-notebook", "dot-grid-a5"),
        """
Most notebooks are abandoned a third of the way through, and rarely because of the paper.

Pick the size by where it will live. A book that stays on the desk may be large; one that should catch a thought on
the tram has to fit the pocket you actually use.
""",
    ),
    Post(
        "why-paper-has-a-grain",
        "Why Paper Has a Grain",
        "Jonas Weil",
        "2026-02-17",
        ("kraft-wrapping", "paper-knife-boxwood"),
        """
Fibres line up with the direction in which the web runs through the machine, and stay that way.

Fold a sheet along the grain and the crease is clean; fold it across and the surface cracks. Every bookbinder tests
a new batch by bending it both ways.
""",
    ),
    Post(
        "a-first-fountain-pen",
        "A First Fountain Pen",
        "Ada Brandt",
        "2026-03-04",
        ("school-fountain-pen", "bottled-ink-blue"),
        """
A steel nib costs a tenth of a gold one and writes nine tenths as well.

Begin with a medium nib and an ink that washes out. Rinse the pen with cold water whenever you change the colour,
and it will outlive several desks.
""",
    ),
    Post(
        "pencil-grades",
        "What the Letters on a Pencil Mean",
        "Mira Okafor",
        "2026-03-19",
        ("cedar-pencil-hb", "pencil-set-2h-6b"),
        """
H stands for hard and B for black; the number says how much of it.

The lead is graphite and clay. More clay makes a harder, paler line, more graphite a softer, darker one, which is
why a 6B is blunt again after a page.
""",
    ),
    Post(
        "the-return-of-the-postcard",
        "The Return of the Postcard",
        "Jonas Weil",
        "2026-04-08",
        ("postcards-harbour", "writing-paper-a5"),
        """
We sold more postcards last year than in the three before it together.

A card asks for sixty words and forgives a hurried hand. It is also the only message that is improved by a picture
of somewhere you are not.
""",
    ),
    Post(
        "caring-for-brass",
        "Caring for Brass",
        "Mira Okafor",
        "2026-04-22",
        ("brass-ballpoint", "brass-sharpener"),
        """
Brass darkens because copper in its surface meets the air and your hands.

If you like the patina, leave it. If you do not, lemon juice and salt on a soft cloth bring back the shine in a
minute; rinse and dry it well afterwards.
""",
    ),
    Post(
        "a-desk-without-cables",
        "A Desk Without Cables",
        "Ada Brandt",
        "2026-05-06",
        ("reading-lamp", "oak-pen-tray"),
        """
Clear one hand's breadth in front of you and the rest of the desk looks tidy too.

Give every tool a place that is nearer than the next best surface. A tray for pens does more for order than a
drawer, because it needs no decision to use.
""",
    ),
    Post(
        "inks-that-last",
        "Inks That Last",
        "Jonas Weil",
        "2026-05-27",
        ("bottled-ink-blue", "iron-gall-ink"),
        """
Registrars still sign with iron gall ink, since it bites into the paper and cannot be washed out.

We stopped selling it when our last maker closed. Pigment inks are the closest thing today: they sit in the fibres
as fine particles, and light hardly touches them.
""",
    ),
    Post(
        "binding-a-book-at-home",
        "Binding a Book at Home",
        "Mira Okafor",
        "2026-06-11",
        ("paper-knife-boxwood", "linen-sketchbook"),
        """
Eight folded sheets, a needle, a yard of waxed thread: that is a pamphlet, and it takes ten minutes.

Punch from the inside, start and finish in the middle hole, and pull the thread along the fold rather than away from
it, or the paper will tear.
""",
    ),
    Post(
        "what-we-learnt-in-ten-years",
        "What We Learnt in Ten Years",
        "Ada Brandt",
        "2026-06-30",
        ("guest-book", "pocket-notebook-a6"),
        """
Our first order was a single pocket notebook. We still make it, under a shorter name.

People come back for the things they use up, so the plain goods have to be the good ones. Everything else in the
shop is there because one of us wanted it on the desk.
""",
    ),
)
