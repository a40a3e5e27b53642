-- hand-written: no subquery per row over an array
-- One row per run and node: the project at the time of the run, without groups.
-- Key: run_id, unique_id (an environment is a label of its run).
-- Compiled SQL is stored without its environment: a token, ⟦unique id⟧, replaces each relation that dbt wrote. ⟦⟧
-- replaces an opening bracket of the code itself. `compiled_code` restores the relations; it is computed only if
-- selected.
CREATE OR REPLACE VIEW recce_metadata.nodes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  runs.run_at,
  node.name,
  node.resource_type,
  node.package_name,
  place.schema_name,
  node.checksum,
  node.code_hash,
  node.raw_code,
  node.config,
  node.columns,
  place.database_name,
  place.identifier,
  place.relation_name,
  node.materialized,
  CASE WHEN CONTAINS(node.compiled_code, '⟦') THEN compiled.code ELSE node.compiled_code END AS compiled_code,
  node.language,
  node.path,
  node.description,
  node.tags,
  node.meta,
  node.access,
  node.version,
  node.group_name,
  node.source_name,
  node.contract,
  node.fqn,
  node.checksum_rule,
  node.columns_from,
  node.unrendered_config,
  node.macros,
  node.properties,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    piece.run_id,
    piece.version_id,
    LISTAGG(
      CASE
        WHEN piece.number = 0 THEN piece.text
        WHEN STARTSWITH(piece.text, '⟧') THEN '⟦' || SUBSTRING(piece.text, 2)
        ELSE COALESCE(
          target.relation_name || SUBSTRING(piece.text, CHARINDEX('⟧', piece.text) + 1),
          '⟦' || piece.text
        )
      END,
      ''
    ) WITHIN GROUP (ORDER BY piece.number) AS code
  FROM (
    SELECT runs.run_id, runs.graph_id, node.version_id, item.index AS number, CAST(item.value AS VARCHAR) AS text
    FROM recce_metadata.store_runs AS runs
    JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
    JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id,
      LATERAL FLATTEN(INPUT => SPLIT(node.compiled_code, '⟦')) AS item
    WHERE CONTAINS(node.compiled_code, '⟦')
  ) AS piece
  LEFT JOIN recce_metadata.store_graph_nodes AS target
    ON target.graph_id = piece.graph_id
    AND target.unique_id = SPLIT_PART(piece.text, '⟧', 1)
    AND piece.number > 0
  GROUP BY piece.run_id, piece.version_id
) AS compiled ON compiled.run_id = runs.run_id AND compiled.version_id = node.version_id
WHERE node.resource_type NOT IN ('group', 'disabled');
