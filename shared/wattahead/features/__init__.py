"""Features at issue time: arrays in, arrays out, nothing known later than the issue time."""
