"""Language models in a worker: they word records and tag news; they decide nothing."""
