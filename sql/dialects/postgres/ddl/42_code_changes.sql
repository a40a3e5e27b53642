-- One row per pair of compared codes and node of the first whose code, or that of an ancestor, differs from the previous one.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  PRIMARY KEY (step_id, unique_id)
);
