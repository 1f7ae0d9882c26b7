"""What a finished run is worth: figures with formulas, intervals and a verdict in words."""
