"""When a host may be asked, and what to do with its answer."""
