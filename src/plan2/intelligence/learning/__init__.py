"""The learning loop: outcomes of live forecasts, tracking, drift, calibration, promotion."""
