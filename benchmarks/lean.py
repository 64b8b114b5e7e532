"""What is the least a page record can hold? What other crawlers' examples take: title, description, h1, link count."""

from __future__ import annotations

from crawler.config import ExtractConfig
from crawler.config.extracting import FeaturesConfig

_FEATURES = FeaturesConfig.__struct_fields__

LEAN = ExtractConfig(text="none", links=False, features=FeaturesConfig(**dict.fromkeys(_FEATURES, False)))
#: the same as arguments of ``--set``
LEAN_SETTINGS = ("extract.text=none", "extract.links=false", *(f"extract.features.{name}=false" for name in _FEATURES))
