-- Nodes and macros of a run whose code or texts contain :text, in lower case, and where: a node once, in the first place that has it.
SELECT found.unique_id, found.name, found.resource_type, found.version, found.place
FROM (
  SELECT
    part_nodes.unique_id,
    node_versions.name,
    node_versions.resource_type,
    node_versions.version,
    CASE
      WHEN STRPOS(LOWER(CAST(node_versions.tags AS TEXT)), :text) > 0 THEN 'tag'
      WHEN STRPOS(LOWER(node_versions.description), :text) > 0 THEN 'description'
      WHEN
        STRPOS(LOWER(CONCAT(COALESCE(node_versions.group_name, ''), CAST(node_versions.meta AS TEXT))), :text) > 0
        THEN 'owner or meta'
      WHEN STRPOS(LOWER(CAST(node_versions.columns AS TEXT)), :text) > 0 THEN 'columns'
      WHEN STRPOS(LOWER(node_versions.raw_code), :text) > 0 THEN 'code'
    END AS place
  FROM store_graph_parts AS graph_parts
  JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id
  JOIN store_node_versions AS node_versions ON node_versions.version_id = part_nodes.version_id
  WHERE graph_parts.graph_id = :graph_id AND node_versions.resource_type NOT IN ('group', 'disabled')
  UNION ALL
  SELECT
    macros.unique_id,
    macros.name,
    'macro' AS resource_type,
    CAST(NULL AS TEXT) AS version,
    CASE
      WHEN STRPOS(LOWER(macros.name), :text) > 0 THEN 'name'
      WHEN STRPOS(LOWER(macros.macro_sql), :text) > 0 THEN 'code'
    END AS place
  FROM store_runs AS runs
  JOIN store_macro_sets AS macro_sets ON macro_sets.macro_set_id = runs.macro_set_id
  JOIN store_macros AS macros ON macros.version_id = macro_sets.version_id
  WHERE runs.run_id = :run_id
) AS found
WHERE found.place IS NOT NULL
ORDER BY found.place = 'code', found.resource_type, found.unique_id
LIMIT CAST(:most AS BIGINT);
