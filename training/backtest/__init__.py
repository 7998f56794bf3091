"""Rolling-origin backtests: what live scoring would have written, for many past hours at once."""
