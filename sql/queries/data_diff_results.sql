-- Complete results of the saved data diffs in a newline-separated list.
SELECT diff_id, CAST(result AS TEXT) AS result
FROM store_data_diffs
WHERE diff_id IN (SELECT wanted.diff_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(diff_id));
