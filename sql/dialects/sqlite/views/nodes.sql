-- hand-written: GROUP_CONCAT of a JSON array instead of an ordered aggregate
-- One row per run and node: the project at the time of the run, without groups.
-- Key: run_id, unique_id (an environment is a label of its run).
-- Compiled SQL is stored without its environment: a token, ⟦unique id⟧, replaces each relation that dbt wrote. ⟦⟧
-- replaces an opening bracket of the code itself. `compiled_code` restores the relations; it is computed only if
-- selected.
DROP VIEW IF EXISTS nodes;
CREATE VIEW nodes AS
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
    WHEN INSTR(node.compiled_code, '⟦') = 0 THEN node.compiled_code
    ELSE (
      -- The quoted text is split as JSON, whose items keep their order.
      SELECT
        GROUP_CONCAT(
          CASE
            WHEN piece.key = 0 THEN piece.value
            WHEN SUBSTR(piece.value, 1, 1) = '⟧' THEN '⟦' || SUBSTR(piece.value, 2)
            ELSE COALESCE(
              (
                SELECT named.relation_name
                FROM store_graph_nodes AS named
                WHERE
                  named.graph_id = runs.graph_id
                  AND named.unique_id = SUBSTR(piece.value, 1, INSTR(piece.value, '⟧') - 1)
              ) || SUBSTR(piece.value, INSTR(piece.value, '⟧') + 1),
              '⟦' || piece.value
            )
          END,
          ''
        )
      FROM JSON_EACH('[' || REPLACE(JSON_QUOTE(node.compiled_code), '⟦', '","') || ']') AS piece
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
WHERE node.resource_type NOT IN ('group', 'disabled');
