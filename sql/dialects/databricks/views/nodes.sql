-- hand-written: arrays and maps instead of a subquery per row
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
    WHEN LOCATE('⟦', node.compiled_code) = 0 THEN node.compiled_code
    ELSE ARRAY_JOIN(
      TRANSFORM(
        SPLIT(node.compiled_code, '⟦'),
        (piece, number) -> CASE
          WHEN number = 0 THEN piece
          WHEN STARTSWITH(piece, '⟧') THEN '⟦' || SUBSTRING(piece, 2)
          ELSE COALESCE(
            run_relations.relations[SUBSTRING_INDEX(piece, '⟧', 1)] || SUBSTRING(piece, LOCATE('⟧', piece) + 1),
            '⟦' || piece
          )
        END
      ),
      ''
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
  SELECT runs.run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(place.unique_id, place.relation_name))) AS relations
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
  WHERE place.relation_name IS NOT NULL
  GROUP BY runs.run_id
) AS run_relations ON run_relations.run_id = runs.run_id
WHERE node.resource_type NOT IN ('group', 'disabled');
