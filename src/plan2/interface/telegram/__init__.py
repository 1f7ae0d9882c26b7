"""Telegram: the same routes, rights and audit trail as the web app, in a chat."""
