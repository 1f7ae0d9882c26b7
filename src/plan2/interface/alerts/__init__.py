"""Alerts at the edge: what they look at live, and the ways on which they leave the process."""
