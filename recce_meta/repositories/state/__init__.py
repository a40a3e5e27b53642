"""State of the extraction service: connections, jobs, tokens and workers, in SQLite or PostgreSQL."""
