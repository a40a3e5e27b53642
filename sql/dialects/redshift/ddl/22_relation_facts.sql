-- One row per part and relation: statistics of the catalog at the time of the scan, NULL if missing in the catalog.
-- A part is written once, by the first scan that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMP WITH TIME ZONE,
  altered_at TIMESTAMP WITH TIME ZONE
);
