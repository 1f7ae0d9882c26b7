"""The simulated terminal: a synthetic or recorded market and a paper broker."""
