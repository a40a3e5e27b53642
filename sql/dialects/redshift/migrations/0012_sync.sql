-- Hashes of runs; notes, tags and owners; deleted runs; exchange of runs with other stores. A store migrated from before
-- has none: the first exchange computes the hashes.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  column_name VARCHAR(65535),
  parent_id VARCHAR(65535),
  parent_column VARCHAR(65535),
  field VARCHAR(65535) NOT NULL,
  item VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  author VARCHAR(65535) NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id VARCHAR(64) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  deleted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  deleted_by VARCHAR(65535) NOT NULL,
  reason VARCHAR(65535) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id VARCHAR(64) NOT NULL,
  detected_at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind VARCHAR(65535) NOT NULL,
  object_id VARCHAR(65535) NOT NULL,
  run_id VARCHAR(64),
  project_name VARCHAR(65535),
  peer VARCHAR(65535) NOT NULL,
  stored_hash VARCHAR(64) NOT NULL,
  arriving_hash VARCHAR(64) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  content VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id VARCHAR(64) NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
  direction VARCHAR(65535) NOT NULL,
  peer VARCHAR(65535) NOT NULL,
  author VARCHAR(65535) NOT NULL,
  sent BIGINT NOT NULL,
  received BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  status VARCHAR(65535) NOT NULL,
  error VARCHAR(65535),
  recorder_version VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id VARCHAR(64) NOT NULL,
  content_hash VARCHAR(64) NOT NULL
);
