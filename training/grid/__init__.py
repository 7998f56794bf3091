"""Grid actions: simulated states, screens that learn from them, and the exact solution of what they choose."""
