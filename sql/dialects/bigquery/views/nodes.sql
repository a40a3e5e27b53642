-- hand-written: BigQuery's syntax for arrays and JSON
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
  CASE
    WHEN STRPOS(node.compiled_code, '⟦') = 0 THEN node.compiled_code
    ELSE (
      SELECT
        STRING_AGG(
          CASE
            WHEN number = 0 THEN piece
            WHEN STARTS_WITH(piece, '⟧') THEN '⟦' || SUBSTR(piece, 2)
            ELSE COALESCE(
              LAX_STRING(run_relations.relations[SPLIT(piece, '⟧')[OFFSET(0)]]) || SUBSTR(piece, STRPOS(piece, '⟧') + 1),
              '⟦' || piece
            )
          END,
          '' ORDER BY number
        )
      FROM UNNEST(SPLIT(node.compiled_code, '⟦')) AS piece WITH OFFSET AS number
    )
  END AS compiled_code,
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
    runs.run_id,
    JSON_OBJECT(
      ARRAY_AGG(place.unique_id ORDER BY place.unique_id), ARRAY_AGG(place.relation_name ORDER BY place.unique_id)
    ) AS relations
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
  WHERE place.relation_name IS NOT NULL
  GROUP BY runs.run_id
) AS run_relations ON run_relations.run_id = runs.run_id
WHERE node.resource_type NOT IN ('group', 'disabled');
