-- First rows of failed tests. Unknown for runs recorded before.
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS failed_rows JSON;
