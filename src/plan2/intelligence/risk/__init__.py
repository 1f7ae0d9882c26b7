"""The only way to an order: limits, checks and the gate."""
