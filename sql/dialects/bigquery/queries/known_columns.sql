-- The analyses of the latest column graph of a project, with their output columns and where each first stands;
-- one row without a column for an analysis that found none.
SELECT
  place.lineage_id,
  edge.column_name,
  MIN(edge.ordinal) AS ordinal
FROM (
  SELECT
    column_graph_id
  FROM recce_metadata.runs
  WHERE
    project_name = :project AND column_graph_id IS NOT NULL
  ORDER BY
    run_at DESC NULLS FIRST,
    recorded_at DESC NULLS FIRST,
    run_id NULLS LAST
  LIMIT 1
) AS latest
JOIN recce_metadata.column_parts AS part
  ON part.column_graph_id = latest.column_graph_id
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
LEFT JOIN recce_metadata.column_edges AS edge
  ON edge.lineage_id = place.lineage_id AND edge.column_name IS NOT NULL
GROUP BY
  place.lineage_id,
  edge.column_name;
