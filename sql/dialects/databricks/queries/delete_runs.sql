-- Delete runs, after the measurements of their nodes. Rows that only these runs refer to become garbage.
DELETE FROM recce_metadata.store_quality_runs
WHERE
  run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
DELETE FROM recce_metadata.store_runs
WHERE
  run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
