-- Exchanges, newest first: at most a number of each peer and status; NULL disables the filter.
SELECT
  syncs.sync_id,
  syncs.started_at,
  syncs.finished_at,
  syncs.direction,
  syncs.peer,
  syncs.author,
  syncs.sent,
  syncs.received,
  syncs.conflicts,
  syncs.skipped,
  syncs.failed,
  syncs.status,
  syncs.error,
  syncs.recorder_version
FROM (
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
    error,
    recorder_version,
    ROW_NUMBER() OVER (PARTITION BY peer, status ORDER BY finished_at DESC, sync_id) AS place
  FROM store_syncs
  WHERE
    (
      CAST(:peer AS TEXT) IS NULL OR peer = CAST(:peer AS TEXT)
    )
) AS syncs
WHERE
  syncs.place <= CAST(:most AS INTEGER)
ORDER BY
  syncs.finished_at DESC NULLS FIRST,
  syncs.sync_id NULLS LAST;
