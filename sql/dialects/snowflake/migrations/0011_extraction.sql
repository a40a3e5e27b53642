-- How a run was extracted from a connected repository. Unknown for runs recorded before.
ALTER TABLE recce_metadata.store_runs
ADD IF NOT EXISTS extraction VARIANT;
