"""Sealing of secrets and personal data, and the keys that do it."""
