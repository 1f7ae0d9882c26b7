"""The live pipeline over archived ticks, and what came of it."""
