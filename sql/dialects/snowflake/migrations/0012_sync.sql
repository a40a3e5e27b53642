-- Hashes of runs; notes, tags and owners; deleted runs; exchange of runs with other stores. A store migrated from before
-- has none: the first exchange computes the hashes.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id VARCHAR(64) NOT NULL,
  project_name VARCHAR NOT NULL,
  unique_id VARCHAR NOT NULL,
  column_name VARCHAR,
  parent_id VARCHAR,
  parent_column VARCHAR,
  field VARCHAR NOT NULL,
  item VARCHAR NOT NULL,
  value VARCHAR,
  author VARCHAR NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id VARCHAR(64) NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (event_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR NOT NULL,
  deleted_at TIMESTAMPTZ NOT NULL,
  deleted_by VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (run_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id VARCHAR(64) NOT NULL,
  detected_at TIMESTAMPTZ NOT NULL,
  kind VARCHAR NOT NULL,
  object_id VARCHAR NOT NULL,
  run_id VARCHAR(64),
  project_name VARCHAR,
  peer VARCHAR NOT NULL,
  stored_hash VARCHAR(64) NOT NULL,
  arriving_hash VARCHAR(64) NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (conflict_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  content VARCHAR NOT NULL,
  PRIMARY KEY (conflict_id, ordinal)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id VARCHAR(64) NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  direction VARCHAR NOT NULL,
  peer VARCHAR NOT NULL,
  author VARCHAR NOT NULL,
  sent BIGINT NOT NULL,
  received BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  status VARCHAR NOT NULL,
  error VARCHAR,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (sync_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id VARCHAR(64) NOT NULL,
  content_hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (run_id)
);
