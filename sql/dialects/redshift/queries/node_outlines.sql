-- What a drawing needs of the nodes of a graph whose ids are in a newline-separated list, and their uncertain parents.
SELECT
  part_nodes.unique_id,
  node_versions.config AS config,
  node_versions.meta AS meta,
  node_versions.properties AS properties,
  node_versions.columns AS columns
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT
  part_nodes.unique_id,
  version_parents.parent_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_version_parents AS version_parents
  ON version_parents.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND version_parents.confidence < 1
  AND part_nodes.unique_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
