-- First statement of every writer: a concurrent writer waits here (PostgreSQL) or fails and retries (DuckDB).
UPDATE recce_metadata.store SET written_at = CURRENT_TIMESTAMP;
