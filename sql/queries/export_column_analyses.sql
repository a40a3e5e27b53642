-- Analyses of a column graph.
SELECT analysis.lineage_id, analysis.tier, analysis.reason
FROM store_column_analyses AS analysis
WHERE
  analysis.lineage_id IN (
    SELECT node.lineage_id
    FROM store_column_parts AS part
    JOIN store_column_part_nodes AS node ON node.part_id = part.part_id
    WHERE part.column_graph_id = :column_graph_id
  );
