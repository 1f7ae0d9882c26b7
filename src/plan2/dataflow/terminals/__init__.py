"""Broker connections behind one port: a market side and an order side."""
