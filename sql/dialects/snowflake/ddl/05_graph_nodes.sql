-- One row per graph and node: which version of the node the graph holds, and where it lives.
CREATE OR REPLACE VIEW recce_metadata.graph_nodes AS
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id;
