"""Labels, splits, evaluation and training of the models."""
