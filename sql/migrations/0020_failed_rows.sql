-- First rows of failed tests, and the critical path of builds. Unknown for runs recorded before.
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS failed_rows JSON;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS critical_path DOUBLE PRECISION;
