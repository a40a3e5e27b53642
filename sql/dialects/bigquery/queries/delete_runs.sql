-- Removes runs; what they alone pointed to is garbage from then on.
DELETE FROM recce_metadata.runs
WHERE
  run_id IN UNNEST(SPLIT(:ids, CHR(10)));
