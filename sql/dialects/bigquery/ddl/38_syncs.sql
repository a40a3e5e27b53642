-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_syncs (
  sync_id STRING NOT NULL,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NOT NULL,
  direction STRING NOT NULL,
  peer STRING NOT NULL,
  author STRING NOT NULL,
  sent INT64 NOT NULL,
  received INT64 NOT NULL,
  conflicts INT64 NOT NULL,
  skipped INT64 NOT NULL,
  failed INT64 NOT NULL,
  status STRING NOT NULL,
  error STRING,
  recorder_version STRING NOT NULL,
  PRIMARY KEY (sync_id) NOT ENFORCED
)
CLUSTER BY sync_id;
