"""Adapters with a planted fault each, and what the suite must say about them."""
