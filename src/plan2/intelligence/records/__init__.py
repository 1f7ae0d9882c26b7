"""Records that regulators ask for, made of stored events: orders (RTS 24), trades (EMIR)."""
