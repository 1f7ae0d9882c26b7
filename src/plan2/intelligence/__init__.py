"""Level 4: features, models, decision, risk and trading."""
