-- One row per diff of two runs that took long to compute, as JSON. Derived: a reader uses a row only if all that the diff
-- follows from is equal (`inputs_id`), and the code that computes it, too (`analysis_id`). `store.kept_diffs` has both.
CREATE TABLE IF NOT EXISTS store_kept_diffs (
  inputs_id VARCHAR(64) NOT NULL PRIMARY KEY,
  analysis_id VARCHAR(64) NOT NULL,
  base_run_id VARCHAR(64) NOT NULL,
  current_run_id VARCHAR(64) NOT NULL,
  kept_at TIMESTAMPTZ NOT NULL,
  answer TEXT NOT NULL
);
