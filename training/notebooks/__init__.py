"""Notebooks for people who look before they model, and what the notebooks stand on."""
