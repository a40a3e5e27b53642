-- Delete runs, after the measurements of their nodes. Rows that only these runs refer to become garbage.
DELETE FROM recce_metadata.store_quality_runs
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
DELETE FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
