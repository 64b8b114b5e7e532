"""From a Request to a Response."""
