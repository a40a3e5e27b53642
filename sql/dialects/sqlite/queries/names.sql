-- Names of nodes of a graph, for the nodes in a newline-separated list.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.version
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
