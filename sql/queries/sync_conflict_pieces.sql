-- Pieces of the object of a conflict that arrived, in order.
SELECT content
FROM store_sync_conflict_pieces
WHERE conflict_id = CAST(:conflict_id AS TEXT)
ORDER BY ordinal;
