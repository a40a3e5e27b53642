-- Foreign keys of a graph from or to one node, in the order of the constraints.
SELECT
  part_nodes.unique_id,
  link.parent_id,
  link.name,
  CAST(link."columns" AS TEXT) AS column_names,
  CAST(link.parent_columns AS TEXT) AS parent_column_names,
  link.on_update,
  link.on_delete
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_version_references AS link
  ON link.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND (
    part_nodes.unique_id = :unique_id OR link.parent_id = :unique_id
  )
ORDER BY
  part_nodes.unique_id,
  link.ordinal;
