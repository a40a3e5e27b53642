-- Hash of the value of each variable of --vars, by name. Unknown for runs recorded before.
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS variables STRING;
