-- First statement of every writer: a concurrent writer waits here (PostgreSQL) or fails and retries (DuckDB).
UPDATE store SET written_at = STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now');
