-- Removes runs, after what was measured of their nodes; what they alone pointed to is garbage from then on.
DELETE FROM quality_runs
WHERE run_id IN (SELECT chosen.run_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id));

DELETE FROM runs
WHERE run_id IN (SELECT chosen.run_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id));
