-- Complete results of the saved data diffs in a newline-separated list.
SELECT
  diff_id,
  result AS result
FROM recce_metadata.store_data_diffs
WHERE
  diff_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
