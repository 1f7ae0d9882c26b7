"""MetaTrader 5: the official package behind the terminal port, in a process of its own."""
