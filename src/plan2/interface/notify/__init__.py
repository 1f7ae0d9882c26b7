"""Telling people what happened, on every way they chose."""
