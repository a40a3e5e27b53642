-- Removes runs, after what was measured of their nodes; what they alone pointed to is garbage from then on.
DELETE FROM recce_metadata.quality_runs
WHERE
  run_id IN UNNEST(SPLIT(:ids, CHR(10)));
DELETE FROM recce_metadata.runs
WHERE
  run_id IN UNNEST(SPLIT(:ids, CHR(10)));
