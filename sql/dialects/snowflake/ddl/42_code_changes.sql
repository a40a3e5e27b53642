-- One row per pair of compared codes and node of the first whose code, or that of an ancestor, differs from the previous one.
-- `is_certain` is false if it may differ: only one of both runs compiled it, and it reads variables or flags.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  is_certain BOOLEAN,
  PRIMARY KEY (step_id, unique_id)
);
