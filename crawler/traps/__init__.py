"""Which parts of a site make up pages without end? Learnt from what pages say and where they were found."""
