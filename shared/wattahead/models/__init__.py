"""Load and predict only; training lives in training/."""
