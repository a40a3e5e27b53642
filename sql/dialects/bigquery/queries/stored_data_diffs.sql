-- Data diffs in a newline-separated list that are already stored.
SELECT
  diff_id
FROM recce_metadata.store_data_diffs
WHERE
  diff_id IN UNNEST(SPLIT(:ids, CHR(10)));
