"""Alerts: rules about market, models, risk, health and silence, and what becomes of one."""
