-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
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
