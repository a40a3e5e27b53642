-- Which nodes may have other code than when they were measured last. `init` fills the tables for the latest runs.
DELETE FROM recce_metadata.store_code_steps
WHERE
  TRUE;
DELETE FROM recce_metadata.store_code_changes
WHERE
  TRUE;
ALTER TABLE recce_metadata.store_code_changes
ADD COLUMN IF NOT EXISTS is_certain BOOLEAN;
