-- Time of the warehouse, and the latest time at which a run was recorded; the clock of either may be wrong.
SELECT
  CURRENT_TIMESTAMP() AS present_at,
  MAX(recorded_at) AS recorded_at
FROM recce_metadata.store_runs;
