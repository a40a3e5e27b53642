-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
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
