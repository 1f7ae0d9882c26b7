"""Flows: what trades, declared in one file, the same for backtest, paper and live."""
