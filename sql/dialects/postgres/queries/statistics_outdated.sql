-- hand-written: other servers maintain their statistics themselves
-- True if the planner has no statistics of the runs, or if their number has doubled since: autovacuum may be late, and a
-- restored store has none.
SELECT
  COUNT(*) >= 2 * MAX(known.reltuples)
  OR NOT EXISTS (
    SELECT 1 FROM pg_catalog.pg_stats AS planner WHERE planner.schemaname = :schema AND planner.tablename = 'store_runs'
  ) AS is_outdated
FROM recce_metadata.store_runs AS run
JOIN pg_catalog.pg_class AS known ON known.oid = run.tableoid;
