"""What a page does with references, for what is told of it apart from pages."""

from __future__ import annotations

from urllib.parse import urljoin


def resolver(base):
    """As pages have it: http(s) URLs without fragment."""

    def resolve(href):
        try:
            url = urljoin(base, href.partition("#")[0])
        except ValueError:
            return None
        return url if url.startswith("http") else None

    return resolve
