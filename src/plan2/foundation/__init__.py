"""Level 1: values, events, bus, clock, configuration, database and event store."""
