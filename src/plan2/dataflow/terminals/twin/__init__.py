"""A module shaped like the `MetaTrader5` package over the simulated broker, fault by fault."""
