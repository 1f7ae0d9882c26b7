"""Readers for the file formats that traders have."""
