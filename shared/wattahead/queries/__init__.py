"""DuckDB on the bucket: a connection and its views."""
