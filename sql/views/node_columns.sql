-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
CREATE OR REPLACE VIEW node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.ordinal,
  item.content ->> 'name' AS column_name,
  item.content ->> 'type' AS column_type,
  COALESCE(item.content ->> 'description', '') AS description,
  COALESCE(CAST(item.content ->> 'documented' AS BOOLEAN), FALSE) AS documented,
  item.content ->> 'documented_type' AS documented_type,
  item.content -> 'tags' AS tags,
  item.content -> 'meta' AS meta,
  CAST(item.content ->> 'not_null' AS BOOLEAN) AS not_null,
  item.content ->> 'default' AS default_value,
  item.content ->> 'generated' AS generated_as,
  item.content ->> 'identity' AS identity_generation,
  item.content ->> 'collation' AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal);
