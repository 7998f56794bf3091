"""One module per workload: what a batch reads, how it scores, which rows it writes."""
