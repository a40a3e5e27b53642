-- One row per push, pull or sync of this store with another one. Key: sync_id.
CREATE OR REPLACE VIEW recce_metadata.sync_history AS
SELECT
  sync_id,
  started_at,
  finished_at,
  direction,
  peer,
  author,
  sent,
  received,
  conflicts,
  skipped,
  failed,
  status,
  error
FROM recce_metadata.store_syncs;
