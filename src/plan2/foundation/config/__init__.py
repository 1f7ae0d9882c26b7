"""Strict configuration: schema and loading."""
