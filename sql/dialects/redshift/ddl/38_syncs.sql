-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
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
