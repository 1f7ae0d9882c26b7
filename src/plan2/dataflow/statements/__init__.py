"""MetaTrader 5 reports read back: what they state, and whether their own deals say the same."""
