"""Electrical networks: candidate actions, and what physics says of each before anything is learnt."""
