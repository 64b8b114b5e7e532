"""Programs that are only type-checked, as their authors would: see the mypy section of pyproject.toml."""
