"""What is wrong with a result, in plain sentences with numbers."""
