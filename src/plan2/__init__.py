"""Plan2: a trading platform for MetaTrader 5 with models in the loop."""

__version__ = "0.1.0"
