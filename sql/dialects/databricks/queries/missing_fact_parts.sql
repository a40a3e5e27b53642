-- hand-written: there are no transactions, so only a run, which is written last, proves that its rows are complete
-- Parts of a scan's statistics that no recorded run has; some of their relations may be stored.
SELECT fact_parts.part_id
FROM recce_metadata.store_fact_parts AS fact_parts
WHERE
  fact_parts.run_id = :run_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.store_fact_parts AS recorded
    JOIN recce_metadata.store_runs AS runs ON runs.run_id = recorded.run_id
    WHERE recorded.part_id = fact_parts.part_id
  );
