-- Delete stored diffs: a newline-separated list of their ids.
DELETE FROM store_kept_diffs
WHERE inputs_id IN (SELECT chosen.inputs_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(inputs_id));
