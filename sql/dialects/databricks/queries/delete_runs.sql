-- Removes runs; what they alone pointed to is garbage from then on.
DELETE FROM recce_metadata.runs
WHERE
  run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
