"""What does the demo's shop sell?"""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One thing on sale."""

    slug: str
    name: str
    price_cents: int
    description: str
    in_stock: bool = True


CATEGORIES: dict[str, tuple[str, tuple[Product, ...]]] = {
    "notebooks": (
        "Notebooks",
        (
            Product("pocket-notebook", "Pocket Notebook", 650, "Stitched, 64 pages, fits a shirt pocket."),
            Product("field-book", "Field Book", 1450, "Hard covers and a page that takes pencil in the rain."),
            Product("dot-grid-a5", "Dot Grid A5", 1290, "192 numbered pages with a five millimetre dot grid."),
            Product("lay-flat-journal", "Lay-Flat Journal", 1890, "Open-spine binding that lies flat at any page."),
            Product("linen-sketchbook", "Linen Sketchbook", 2200, "Heavy cartridge paper between linen boards."),
            Product("reporter-pad", "Reporter Pad", 480, "Top-bound, ruled, with a stiff back to write on."),
            Product("music-manuscript-book", "Music Manuscript Book", 1150, "Twelve staves a page, 96 pages."),
            Product("graph-lab-book", "Graph Lab Book", 1690, "Numbered pages, a date line, and a table of contents."),
            Product("weekly-planner", "Weekly Planner", 1750, "One week a spread, undated, so no page is wasted."),
            Product("guest-book", "Guest Book", 3400, "Cream laid paper, half-bound in cloth.", in_stock=False),
        ),
    ),
    "pens": (
        "Pens & Pencils",
        (
            Product("brass-ballpoint", "Brass Ballpoint", 3800, "Turned from solid brass, and darkens with use."),
            Product("school-fountain-pen", "School Fountain Pen", 1995, "A steel medium nib that forgives any grip."),
            Product("gold-nib-fountain-pen", "Gold Nib Fountain Pen", 16900, "A 14-carat fine nib, piston filled."),
            Product("gel-pen-black", "Gel Pen, Black", 290, "A 0.5 mm line that dries before your hand arrives."),
            Product("cedar-pencil-hb", "Cedar Pencil HB", 180, "Slow-grown cedar, sharpened once, no eraser."),
            Product("pencil-set-2h-6b", "Pencil Set 2H-6B", 1650, "Nine grades in a tin, for drawing and shading."),
            Product("mechanical-pencil-05", "Mechanical Pencil 0.5", 1240, "A retractable sleeve and a metal grip."),
            Product("calligraphy-set", "Calligraphy Set", 2750, "One holder, four nibs and a bottle of black ink."),
            Product("highlighter-soft", "Soft Highlighter", 240, "Pastel yellow that marks a line without shouting."),
            Product("bottled-ink-blue", "Bottled Ink, Blue", 990, "50 ml of a blue that stays blue.", in_stock=False),
        ),
    ),
    "paper": (
        "Paper & Post",
        (
            Product("writing-paper-a5", "Writing Paper A5", 890, "Fifty sheets of 120 g laid paper."),
            Product("envelopes-c6", "Envelopes C6", 590, "Twenty-five, gummed, with a plain grey lining."),
            Product("letter-set", "Letter Set", 1890, "Paper, envelopes and a blotter in a box."),
            Product("postcards-harbour", "Harbour Postcards", 950, "Eight views, printed from wood engravings."),
            Product("watercolour-block", "Watercolour Block", 2650, "Twenty sheets, 300 g, glued on all four sides."),
            Product("tracing-paper", "Tracing Paper", 720, "A roll of ten metres, 42 g, clear enough to copy maps."),
            Product("kraft-wrapping", "Kraft Wrapping", 640, "Five metres of brown paper with a smooth side."),
            Product("index-cards", "Index Cards", 420, "One hundred ruled cards, 10 by 15 centimetres."),
            Product("blotting-paper", "Blotting Paper", 380, "Ten sheets, trimmed to fit the desk blotter."),
            Product("wax-seal-kit", "Wax Seal Kit", 2100, "A brass seal, two sticks of wax and a spoon."),
        ),
    ),
    "desk": (
        "On the Desk",
        (
            Product("oak-pen-tray", "Oak Pen Tray", 2900, "Milled from one piece of oak and oiled."),
            Product("desk-blotter", "Desk Blotter", 4800, "A leather corner at each end holds the paper."),
            Product("steel-ruler-30", "Steel Ruler 30 cm", 850, "Etched scale, a cork back that does not slip."),
            Product("brass-sharpener", "Brass Sharpener", 760, "A wedge of brass with a blade you can replace."),
            Product("natural-eraser", "Natural Eraser", 210, "Lifts graphite and leaves the fibre alone."),
            Product("bookends-cast-iron", "Cast Iron Bookends", 5400, "A pair, 2.1 kg each, felt beneath."),
            Product("letter-opener", "Letter Opener", 1980, "Blunt enough to post, sharp enough to open."),
            Product("reading-lamp", "Reading Lamp", 12900, "A warm light on an arm that stays where you leave it."),
            Product("paper-knife-boxwood", "Boxwood Paper Knife", 1350, "For folding, creasing and uncut pages."),
            Product("bulldog-clips", "Bulldog Clips", 540, "Six nickel-plated clips in three sizes."),
        ),
    ),
}
