"""What does a crawl look like as tables? Queried by DuckDB, and exported as Parquet, CSV, SQLite or JSON Lines."""
