-- One row per push, pull or sync that this store took part in, written when it ends by the side that ran it.
CREATE TABLE IF NOT EXISTS store_syncs (
  sync_id TEXT NOT NULL PRIMARY KEY,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  direction TEXT NOT NULL,
  peer TEXT NOT NULL,
  author TEXT NOT NULL,
  sent INTEGER NOT NULL,
  received INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  recorder_version TEXT NOT NULL
);
