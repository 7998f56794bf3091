"""Every hour, the next 24 hours of every energy signal, as parquet in your own bucket."""
