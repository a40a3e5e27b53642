-- Removes runs, after what was measured of their nodes; what they alone pointed to is garbage from then on.
DELETE FROM recce_metadata.quality_runs
WHERE
  run_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
DELETE FROM recce_metadata.runs
WHERE
  run_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
