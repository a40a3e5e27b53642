-- Pieces that arrived runs refer to and that are not stored, and the number of nodes of each of their graphs.
SELECT
  'part_nodes' AS kind,
  graph_parts.part_id AS object_id,
  0 AS total
FROM recce_metadata.store_graph_parts AS graph_parts
WHERE
  graph_parts.graph_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:graph_ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_part_nodes AS part_nodes
    WHERE
      part_nodes.part_id = graph_parts.part_id
  )
UNION ALL
SELECT
  'node_versions' AS kind,
  part_nodes.version_id AS object_id,
  0 AS total
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:graph_ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_node_versions AS node_versions
    WHERE
      node_versions.version_id = part_nodes.version_id
  )
UNION ALL
SELECT
  'macros' AS kind,
  macro_sets.version_id AS object_id,
  0 AS total
FROM recce_metadata.store_macro_sets AS macro_sets
WHERE
  macro_sets.macro_set_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:macro_set_ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_macros AS macros
    WHERE
      macros.version_id = macro_sets.version_id
  )
UNION ALL
SELECT
  'relation_facts' AS kind,
  fact_parts.part_id AS object_id,
  0 AS total
FROM recce_metadata.store_fact_parts AS fact_parts
WHERE
  fact_parts.run_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_relation_facts AS relation_facts
    WHERE
      relation_facts.part_id = fact_parts.part_id
  )
UNION ALL
SELECT
  'column_part_nodes' AS kind,
  column_parts.part_id AS object_id,
  0 AS total
FROM recce_metadata.store_column_parts AS column_parts
WHERE
  column_parts.column_graph_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:column_graph_ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_column_part_nodes AS nodes
    WHERE
      nodes.part_id = column_parts.part_id
  )
UNION ALL
SELECT
  'column_analyses' AS kind,
  nodes.lineage_id AS object_id,
  0 AS total
FROM recce_metadata.store_column_parts AS column_parts
JOIN recce_metadata.store_column_part_nodes AS nodes
  ON nodes.part_id = column_parts.part_id
WHERE
  column_parts.column_graph_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:column_graph_ids, CHR(  10))) AS chosen(id)
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_column_analyses AS analyses
    WHERE
      analyses.lineage_id = nodes.lineage_id
  )
UNION ALL
SELECT
  'nodes' AS kind,
  graph_parts.graph_id AS object_id,
  COUNT(*) AS total
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id IN (
    SELECT
      chosen.id
    FROM UNNEST(STRING_TO_ARRAY(:graph_ids, CHR(  10))) AS chosen(id)
  )
GROUP BY
  graph_parts.graph_id;
