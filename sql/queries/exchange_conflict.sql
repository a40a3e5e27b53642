-- A conflict that is stored already.
SELECT conflict_id FROM store_sync_conflicts WHERE conflict_id = :conflict_id;
