-- hand-written: there are no transactions, so that only a run, which is written last, says what is whole
-- The parts of a scan's facts that no recorded run has: some of their relations may be stored, others not.
SELECT fact_parts.part_id
FROM recce_metadata.fact_parts
WHERE
  fact_parts.run_id = :run_id
  AND NOT EXISTS (
    SELECT 1
    FROM recce_metadata.fact_parts AS recorded
    JOIN recce_metadata.runs ON runs.run_id = recorded.run_id
    WHERE recorded.part_id = fact_parts.part_id
  );
