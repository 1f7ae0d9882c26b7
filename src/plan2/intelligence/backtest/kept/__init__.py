"""Finished runs as files of their tenant: written once, listed, compared, exported, pruned."""
