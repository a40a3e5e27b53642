-- Catalog statistics of a run's relations.
SELECT
  relation_facts.unique_id,
  relation_facts.row_estimate,
  relation_facts.bytes,
  relation_facts.created_at,
  relation_facts.altered_at
FROM recce_metadata.store_fact_parts AS fact_parts
JOIN recce_metadata.store_relation_facts AS relation_facts
  ON relation_facts.part_id = fact_parts.part_id
WHERE
  fact_parts.run_id = :run_id;
