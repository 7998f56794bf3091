"""What simulated states and trainings look like: pictures, and a page."""
