-- hand-written: SQLite has no ADD COLUMN IF NOT EXISTS, and a file migrates in one transaction
-- Hash of the value of each variable of --vars, by name. Unknown for runs recorded before.
ALTER TABLE store_runs
ADD COLUMN variables TEXT;
