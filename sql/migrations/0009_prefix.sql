-- The view behind the others has a prefix as the tables do, which `rename_tables` has renamed.
CREATE OR REPLACE VIEW store_graph_nodes AS
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id;

DROP VIEW IF EXISTS graph_nodes;
