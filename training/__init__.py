"""The nightly container: reads actuals and weather, trains a pool, and lets the registry decide."""
