-- Which of the data diffs in a list of lines are kept already.
SELECT
  diff_id
FROM recce_metadata.data_diffs
WHERE
  diff_id IN UNNEST(SPLIT(:ids, CHR(10)));
