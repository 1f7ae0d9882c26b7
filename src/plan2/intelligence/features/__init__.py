"""Streaming features: one compiled step per tick, the same for live, replay and training."""
