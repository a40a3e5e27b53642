-- Parts of a scan's statistics that are not stored yet.
SELECT
  fact_parts.part_id
FROM recce_metadata.store_fact_parts AS fact_parts
WHERE
  fact_parts.run_id = :run_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_relation_facts AS relation_facts
    WHERE
      relation_facts.part_id = fact_parts.part_id
  );
