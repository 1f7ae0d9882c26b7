"""What this machine reaches: the figures of `plan2 bench`, each beside its limit."""
