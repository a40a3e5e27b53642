-- Data diffs in a newline-separated list that are already stored.
SELECT
  diff_id
FROM recce_metadata.store_data_diffs
WHERE
  diff_id IN (
    SELECT
      wanted.diff_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(diff_id)
  );
