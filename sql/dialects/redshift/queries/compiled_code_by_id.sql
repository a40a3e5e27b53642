-- The compiled code of those nodes of a graph that are in a list of lines, in its stored form.
SELECT
  part_nodes.unique_id,
  node_versions.compiled_code
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
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
