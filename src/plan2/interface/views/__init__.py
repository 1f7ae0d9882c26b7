"""Read models: tables that projections build from events, and the queries that pages ask."""
