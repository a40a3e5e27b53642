-- Conflicts of exchanges whose kept object lacks a piece, or has one twice.
SELECT
  conflicts.conflict_id,
  conflicts.run_id
FROM recce_metadata.store_sync_conflicts AS conflicts
LEFT JOIN recce_metadata.store_sync_conflict_pieces AS pieces
  ON pieces.conflict_id = conflicts.conflict_id
GROUP BY
  conflicts.conflict_id,
  conflicts.run_id
HAVING
  COUNT(*) <> COUNT(DISTINCT pieces.ordinal)
  OR COUNT(DISTINCT pieces.ordinal) <> MAX(pieces.ordinal)
ORDER BY
  conflicts.conflict_id NULLS LAST;
