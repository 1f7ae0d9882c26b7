"""Level 3: terminals, data quality, bars, archive, import and replay."""
