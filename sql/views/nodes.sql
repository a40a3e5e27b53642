-- One row per run and node: the project at the time of the run, without groups.
-- Key: run_id, unique_id (an environment is a label of its run).
-- Compiled SQL is stored without its environment: a token, ⟦unique id⟧, replaces each relation that dbt wrote. ⟦⟧
-- replaces an opening bracket of the code itself. `compiled_code` restores the relations; it is computed only if
-- selected.
CREATE OR REPLACE VIEW nodes AS
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
            WHEN piece.number = 1 THEN piece.text
            WHEN STARTS_WITH(piece.text, '⟧') THEN '⟦' || SUBSTR(piece.text, 2)
            ELSE COALESCE(
              (run_relations.relations ->> SPLIT_PART(piece.text, '⟧', 1)) || SUBSTR(piece.text, STRPOS(piece.text, '⟧') + 1),
              '⟦' || piece.text
            )
          END,
          '' ORDER BY piece.number
        )
      FROM UNNEST(STRING_TO_ARRAY(node.compiled_code, '⟦')) WITH ORDINALITY AS piece(text, number)
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
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT runs.run_id, JSONB_OBJECT_AGG(place.unique_id, place.relation_name) AS relations
  FROM store_runs AS runs
  JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
  GROUP BY runs.run_id
) AS run_relations ON run_relations.run_id = runs.run_id
WHERE node.resource_type NOT IN ('group', 'disabled');
