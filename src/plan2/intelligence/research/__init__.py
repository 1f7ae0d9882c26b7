"""What a result is worth: sweeps, walk-forward, chance, stress, leaks and diagnosis."""
