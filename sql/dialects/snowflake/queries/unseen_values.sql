-- Nodes of a run that may read variables whose values no artifact has: in templates that neither run compiled,
-- in branches of incremental models, in hooks and statements that templates send, and in materializations that are not
-- dbt's own.
SELECT
  part_nodes.unique_id
FROM recce_metadata.store_runs AS of_run
JOIN recce_metadata.store_graph_parts AS graph_parts
  ON graph_parts.graph_id = of_run.graph_id
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  of_run.run_id = :run_id
  AND (
    'materialization_' || node_versions.materialized IN (
      /* `materialization_daily` of `materialization_daily_default` and `materialization_daily_duckdb` */
      SELECT
        REPLACE(
          REPLACE(macros.name || '.', '_default.', ''),
          '_' || COALESCE(runs.adapter_type, '') || '.',
          ''
        )
      FROM recce_metadata.store_runs AS runs
      JOIN recce_metadata.store_macro_sets AS macro_sets
        ON macro_sets.macro_set_id = runs.macro_set_id
      JOIN recce_metadata.store_macros AS macros
        ON macros.version_id = macro_sets.version_id
      WHERE
        runs.run_id = :run_id
        AND macros.name LIKE 'materialization_%'
        AND NOT macros.package_name IN ('dbt', 'dbt_' || COALESCE(runs.adapter_type, ''))
    )
    OR (
      (
        node_versions.raw_code LIKE '%var%'
        OR TO_JSON(node_versions.config) LIKE '%var%'
        OR TO_JSON(node_versions.macros) LIKE '%.%'
      )
      AND (
        (
          node_versions.compiled_hash IS NULL
          AND node_versions.resource_type IN ('model', 'snapshot')
        )
        OR node_versions.resource_type = 'operation'
        OR (
          node_versions.materialized = 'incremental'
          AND (
            node_versions.raw_code LIKE '%var%'
            OR REPLACE(TO_JSON(node_versions.macros), 'macro.dbt.', '') LIKE '%macro.%'
          )
        )
        OR node_versions.raw_code LIKE '%run_query%'
        OR node_versions.raw_code LIKE '%statement%'
        OR REPLACE(REPLACE(TO_JSON(node_versions.config), ' ', ''), '[', '') LIKE '%hook":{%'
        OR REPLACE(REPLACE(TO_JSON(node_versions.config), ' ', ''), '[', '') LIKE '%hook":"%'
      )
    )
  );
