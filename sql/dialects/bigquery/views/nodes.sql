-- hand-written: arrays and JSON in BigQuery's words
-- One row per run and node: the project as each run saw it, groups left out.
-- Key: run_id, unique_id (an environment is a label of its run).
-- The store keeps compiled SQL without its environment: a token, ⟦unique id⟧, stands where dbt wrote a
-- relation, and ⟦⟧ where the code itself has an opening bracket. `compiled_code` puts this run's
-- relations back, and costs something only where it is selected.
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
FROM recce_metadata.runs
JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    runs.run_id,
    JSON_OBJECT(
      ARRAY_AGG(place.unique_id ORDER BY place.unique_id), ARRAY_AGG(place.relation_name ORDER BY place.unique_id)
    ) AS relations
  FROM recce_metadata.runs
  JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
  WHERE place.relation_name IS NOT NULL
  GROUP BY runs.run_id
) AS run_relations ON run_relations.run_id = runs.run_id
WHERE node.resource_type <> 'group';
