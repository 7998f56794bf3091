"""States of a grid under stress, and what every action would do in each, solved exactly and kept by content."""
