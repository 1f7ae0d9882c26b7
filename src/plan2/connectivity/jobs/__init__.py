"""Long work of tenants in child processes: what was asked, how far it is, how it ended."""
