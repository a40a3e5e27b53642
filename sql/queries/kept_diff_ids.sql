-- Stored diffs, the newest first.
SELECT inputs_id FROM store_kept_diffs ORDER BY kept_at DESC, inputs_id;
