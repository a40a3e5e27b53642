-- A conflict that is stored already.
SELECT
  conflict_id
FROM recce_metadata.store_sync_conflicts
WHERE
  conflict_id = :conflict_id;
