"""The live stream: state channels that conflate, log channels that drop nothing."""
