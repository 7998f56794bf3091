"""Metrics and slices, no plots: training, backtest and monitor share them."""
