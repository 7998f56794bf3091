"""Where data comes from: mapping files, the generator, and the contracts both must meet."""
