-- Which of the data diffs in a list of lines are kept already.
SELECT
  diff_id
FROM recce_metadata.data_diffs
WHERE
  diff_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
