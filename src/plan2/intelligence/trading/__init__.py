"""Order life cycle, journal, positions and portfolio."""
