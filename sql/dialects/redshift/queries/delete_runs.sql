-- Removes runs, after what was measured of their nodes; what they alone pointed to is garbage from then on.
DELETE FROM recce_metadata.quality_runs
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
DELETE FROM recce_metadata.runs
WHERE
  run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
