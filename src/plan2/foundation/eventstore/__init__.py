"""The append-only, hash-chained event log of each tenant."""
