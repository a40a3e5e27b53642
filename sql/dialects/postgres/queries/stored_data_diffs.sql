-- Which of the data diffs in a list of lines are kept already.
SELECT
  diff_id
FROM recce_metadata.data_diffs
WHERE
  diff_id IN (
    SELECT
      wanted.diff_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS wanted(diff_id)
  );
