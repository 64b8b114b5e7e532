"""May another page be started, or is ``budget.pages`` spent or promised to those under way?"""

from __future__ import annotations


class PageBudget:
    """Slots for pages: one is reserved when a page is started, and used up if it is kept.

    Args:
        pages: The budget; None for no end.
        kept: How many of them earlier runs have used up.
    """

    def __init__(self, pages: int | None, kept: int = 0) -> None:
        #: slots neither used up nor reserved
        self.free: float = float("inf") if pages is None else max(0, pages - kept)
        self._reserved = 0

    @property
    def spent(self) -> bool:
        """Whether all slots are used up, so that none can come back."""
        return not self.free and not self._reserved

    def reserve(self) -> None:
        """A page is started."""
        self.free -= 1
        self._reserved += 1

    def settle(self, *, kept: bool) -> None:
        """A started page has ended: its slot is used up if it was kept, and free again if not."""
        self._reserved -= 1
        if not kept:
            self.free += 1
