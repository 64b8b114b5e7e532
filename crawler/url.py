"""The only maker of canonical URLs."""

from __future__ import annotations
