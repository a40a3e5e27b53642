-- Relations of the nodes of a graph whose ids are in a newline-separated list, without nodes that have no relation.
SELECT
  part_nodes.unique_id,
  part_nodes.relation_name
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.relation_name IS NOT NULL
  AND part_nodes.unique_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
