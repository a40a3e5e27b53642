-- hand-written: SQLite has no ADD COLUMN IF NOT EXISTS, and a file migrates in one transaction
-- Which nodes may have other code than when they were measured last. `init` fills the tables for the latest runs.
DELETE FROM store_code_steps WHERE TRUE;
DELETE FROM store_code_changes WHERE TRUE;
ALTER TABLE store_code_changes
ADD COLUMN is_certain BOOLEAN;
