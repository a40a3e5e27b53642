-- The tier of those nodes of a column graph that are in a list of lines, and why one has no columns.
SELECT
  place.unique_id,
  analysis.tier,
  analysis.reason
FROM recce_metadata.column_parts AS part
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND place.unique_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
