-- How a run was extracted from a connected repository. Unknown for runs recorded before.
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS extraction JSON;
