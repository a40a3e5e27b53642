-- hand-written: arrays and maps in place of a subquery per row
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
FROM recce_metadata.runs
JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT runs.run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(place.unique_id, place.relation_name))) AS relations
  FROM recce_metadata.runs
  JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
  WHERE place.relation_name IS NOT NULL
  GROUP BY runs.run_id
) AS run_relations ON run_relations.run_id = runs.run_id
WHERE node.resource_type <> 'group';
