"""The `wattahead` command."""
