"""From a forecast to a decision with a reason."""
