-- Hashes of runs; notes, tags and owners; deleted runs; exchange of runs with other stores. A store migrated from before
-- has none: the first exchange computes the hashes.
CREATE TABLE IF NOT EXISTS recce_metadata.store_annotation_events (
  event_id TEXT(64) NOT NULL PRIMARY KEY,
  project_name TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  field TEXT NOT NULL,
  item TEXT NOT NULL,
  value TEXT,
  author TEXT NOT NULL,
  wall_ms BIGINT NOT NULL,
  counter BIGINT NOT NULL,
  writer_id TEXT(64) NOT NULL,
  recorder_version TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id TEXT(64) NOT NULL PRIMARY KEY,
  project_name TEXT NOT NULL,
  deleted_at TIMESTAMPTZ NOT NULL,
  deleted_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  recorder_version TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id TEXT(64) NOT NULL PRIMARY KEY,
  detected_at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  run_id TEXT(64),
  project_name TEXT,
  peer TEXT NOT NULL,
  stored_hash TEXT(64) NOT NULL,
  arriving_hash TEXT(64) NOT NULL,
  recorder_version TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflict_pieces (
  conflict_id TEXT(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (conflict_id, ordinal)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id TEXT(64) NOT NULL PRIMARY KEY,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  direction TEXT NOT NULL,
  peer TEXT NOT NULL,
  author TEXT NOT NULL,
  sent BIGINT NOT NULL,
  received BIGINT NOT NULL,
  conflicts BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  recorder_version TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id TEXT(64) NOT NULL PRIMARY KEY,
  content_hash TEXT(64) NOT NULL
);
