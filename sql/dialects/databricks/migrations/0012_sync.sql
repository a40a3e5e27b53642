-- Hashes of runs; notes, tags and owners; deleted runs; exchange of runs with other stores. A store migrated from before
-- has none: the first exchange computes the hashes.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id STRING NOT NULL,
  project_name STRING NOT NULL,
  unique_id STRING NOT NULL,
  column_name STRING,
  parent_id STRING,
  parent_column STRING,
  field STRING NOT NULL,
  item STRING NOT NULL,
  value STRING,
  author STRING NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (event_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id STRING NOT NULL,
  project_name STRING NOT NULL,
  deleted_at TIMESTAMP NOT NULL,
  deleted_by STRING NOT NULL,
  reason STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id STRING NOT NULL,
  detected_at TIMESTAMP NOT NULL,
  kind STRING NOT NULL,
  object_id STRING NOT NULL,
  run_id STRING,
  project_name STRING,
  peer STRING NOT NULL,
  stored_hash STRING NOT NULL,
  arriving_hash STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (conflict_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  content STRING NOT NULL
)
CLUSTER BY (conflict_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id STRING NOT NULL,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NOT NULL,
  direction STRING NOT NULL,
  peer STRING NOT NULL,
  author STRING NOT NULL,
  sent BIGINT NOT NULL,
  received BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  status STRING NOT NULL,
  error STRING,
  recorder_version STRING NOT NULL
)
CLUSTER BY (sync_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id STRING NOT NULL,
  content_hash STRING NOT NULL
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
