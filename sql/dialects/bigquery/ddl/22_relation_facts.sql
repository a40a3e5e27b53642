-- One row per part and relation: statistics of the catalog at the time of the scan, NULL if missing in the catalog.
-- A part is written once, by the first scan that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_estimate INT64,
  bytes INT64,
  created_at TIMESTAMP,
  altered_at TIMESTAMP,
  PRIMARY KEY (part_id, unique_id) NOT ENFORCED
)
CLUSTER BY part_id;
