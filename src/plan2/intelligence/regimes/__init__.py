"""Situations like the present one: what they were, how they ended, and whether there are any."""
