"""The PostgreSQL server, its schema and the one place that opens transactions."""
