-- hand-written: DuckDB compares JSON arrays and objects as lists, and all parents in one query; PostgreSQL uses a
-- subquery per node.
-- One row per run and node that differs from the previous run of the same project and environment.
-- Key: run_id, unique_id. `status` is 'added', 'removed', 'modified' (different content), 'moved' (same content in
-- another database or schema or under another name) or 'rewritten' (the runs are of different dbt versions, which
-- serialise the same content differently).
-- The columns that end in `_changed` show what differs in nodes of both runs, ignoring whitespace in code. They are
-- NULL if a node was added or removed. `columns_changed` is also NULL if either run has no catalog.
--
-- Every dbt version writes different config keys, checksums and compiled SQL. Across versions, only the project's own
-- text is compared: code, columns, descriptions, parents, tags, and config keys that differ in both text and value.
-- Changes of the graph pairs in `graph_steps` are stored in `graph_changes`. Changes of other pairs are computed.
CREATE OR REPLACE VIEW recce_metadata.node_changes AS
WITH parts AS (
  -- Parts that only one of the two graphs has; shared parts cannot differ.
  SELECT
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at,
    step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version AS same_dbt,
    part.part_id, BOOL_OR(side.is_current) AS is_current
  FROM (
    SELECT step.*
    FROM recce_metadata.run_steps AS step
    LEFT JOIN recce_metadata.store_graph_steps AS stored
      ON stored.previous_graph_id = step.previous_graph_id
      AND stored.graph_id = step.graph_id
      AND stored.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
    WHERE step.graph_id <> step.previous_graph_id AND stored.graph_id IS NULL
  ) AS step
  CROSS JOIN (VALUES (TRUE), (FALSE)) AS side(is_current)
  JOIN recce_metadata.store_graph_parts AS part
    ON part.graph_id = CASE WHEN side.is_current THEN step.graph_id ELSE step.previous_graph_id END
  GROUP BY
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at,
    step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version, part.part_id
  HAVING COUNT(*) = 1
), sides AS (
  SELECT
    parts.run_id, parts.previous_run_id, parts.project_name, parts.environment, parts.run_at, parts.same_dbt,
    parts.is_current, place.*
  FROM parts
  JOIN recce_metadata.store_part_nodes AS place ON place.part_id = parts.part_id
), pairs AS (
  SELECT
    run_id, previous_run_id, project_name, environment, run_at, same_dbt, unique_id,
    MAX(CASE WHEN is_current THEN version_id END) AS version_id,
    MAX(CASE WHEN NOT is_current THEN version_id END) AS previous_version_id,
    MAX(CASE WHEN is_current THEN relation_name END) AS relation_name,
    MAX(CASE WHEN NOT is_current THEN relation_name END) AS previous_relation_name,
    (
      MAX(CASE WHEN is_current THEN database_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN database_name END)
      OR MAX(CASE WHEN is_current THEN schema_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN schema_name END)
      OR MAX(CASE WHEN is_current THEN identifier END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN identifier END)
      OR MAX(CASE WHEN is_current THEN relation_name END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN relation_name END)
    ) AS place_differs
  FROM sides
  GROUP BY run_id, previous_run_id, project_name, environment, run_at, same_dbt, unique_id
), parents AS (
  SELECT version_id, LIST(parent_id) AS parents
  FROM recce_metadata.store_version_parents
  GROUP BY version_id
), compared AS (
  SELECT
    pairs.*,
    COALESCE(node.name, previous.name) AS name,
    COALESCE(node.resource_type, previous.resource_type) AS resource_type,
    CASE
      WHEN pairs.same_dbt THEN node.code_hash IS DISTINCT FROM previous.code_hash
      -- dbt itself writes the code of a generic test. If either code is missing, nothing is compared.
      ELSE (node.properties ->> 'test_metadata') IS NULL AND COALESCE(node.code_hash <> previous.code_hash, FALSE)
    END AS code_changed,
    -- dbt compiles only what an invocation selects.
    CASE
      WHEN (node.compiled_hash IS NULL) = (previous.compiled_hash IS NULL)
      THEN node.compiled_hash IS DISTINCT FROM previous.compiled_hash
    END AS compiled_changed,
    CASE
      WHEN pairs.same_dbt THEN CAST(node.config AS TEXT) IS DISTINCT FROM CAST(previous.config AS TEXT)
      WHEN node.resource_type IN ('analysis', 'operation', 'source') THEN FALSE -- dbt does not build these
      -- Maps, because a JSON key may be parsed as a path.
      ELSE LEN([
        key FOR key IN LIST_CONCAT(JSON_KEYS(node.unrendered_config), JSON_KEYS(previous.unrendered_config))
        IF key NOT IN (
            'database', 'schema', 'alias', 'tags', 'meta', 'group', 'access', 'contract', 'enabled', 'quoting'
          )
          AND MAP_EXTRACT(CAST(node.unrendered_config AS MAP(TEXT, TEXT)), key)[1]
          IS DISTINCT FROM MAP_EXTRACT(CAST(previous.unrendered_config AS MAP(TEXT, TEXT)), key)[1]
          AND LOWER(MAP_EXTRACT(CAST(node.config AS MAP(TEXT, TEXT)), REPLACE(key, '_hook', '-hook'))[1])
          IS DISTINCT FROM LOWER(
            MAP_EXTRACT(CAST(previous.config AS MAP(TEXT, TEXT)), REPLACE(key, '_hook', '-hook'))[1]
          )
      ]) > 0
    END AS config_changed,
    CASE
      WHEN node.columns_from IS DISTINCT FROM previous.columns_from THEN NULL
      WHEN pairs.same_dbt THEN CAST(node."columns" AS TEXT) IS DISTINCT FROM CAST(previous."columns" AS TEXT)
      ELSE [
        [LOWER(item ->> 'name'), LOWER(item ->> 'type'), item ->> 'description']
        FOR item IN CAST(node."columns" AS JSON[])
      ] IS DISTINCT FROM [
        [LOWER(item ->> 'name'), LOWER(item ->> 'type'), item ->> 'description']
        FOR item IN CAST(previous."columns" AS JSON[])
      ]
    END AS columns_changed,
    node.description IS DISTINCT FROM previous.description AS description_changed,
    CASE
      WHEN pairs.same_dbt THEN CAST(node.contract AS TEXT) IS DISTINCT FROM CAST(previous.contract AS TEXT)
      ELSE (node.contract IS NULL) <> (previous.contract IS NULL)
    END AS contract_changed,
    CASE
      WHEN
        pairs.same_dbt
        AND (node.compiled_hash IS NULL) = (previous.compiled_hash IS NULL)
        AND COALESCE(node.columns_from, '') = COALESCE(previous.columns_from, '')
      THEN pairs.version_id <> pairs.previous_version_id
      ELSE
        node.materialized IS DISTINCT FROM previous.materialized
        OR COALESCE(node.access, 'protected') <> COALESCE(previous.access, 'protected')
        OR (node.resource_type <> 'test' AND node.group_name IS DISTINCT FROM previous.group_name)
        OR (
          node.resource_type <> 'operation'
          AND LIST_SORT(CAST(node.tags AS TEXT[])) <> LIST_SORT(CAST(previous.tags AS TEXT[]))
        )
        OR (node.properties ->> 'source_description') IS DISTINCT FROM (previous.properties ->> 'source_description')
        OR (node.properties ->> 'owner') IS DISTINCT FROM (previous.properties ->> 'owner')
        OR (
          node.resource_type = 'seed'
          AND node.checksum_rule = previous.checksum_rule
          AND node.checksum_rule <> 'path'
          AND node.checksum <> previous.checksum
        )
        OR LIST_SORT(edge.parents) IS DISTINCT FROM LIST_SORT(previous_edge.parents)
    END AS rest_changed
  FROM (
    SELECT pairs.*, version_id IS NOT NULL AND previous_version_id IS NOT NULL AS both_there
    FROM pairs
    WHERE version_id IS DISTINCT FROM previous_version_id OR place_differs
  ) AS pairs
  LEFT JOIN recce_metadata.store_node_versions AS node ON node.version_id = pairs.version_id
  LEFT JOIN recce_metadata.store_node_versions AS previous ON previous.version_id = pairs.previous_version_id
  LEFT JOIN parents AS edge ON edge.version_id = pairs.version_id AND NOT pairs.same_dbt
  LEFT JOIN parents AS previous_edge
    ON previous_edge.version_id = pairs.previous_version_id AND NOT pairs.same_dbt
)
SELECT
  step.run_id,
  step.previous_run_id,
  step.project_name,
  step.environment,
  step.run_at,
  change.unique_id,
  change.name,
  change.resource_type,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed,
  change.version_id,
  change.previous_version_id,
  change.relation_name,
  change.previous_relation_name
FROM recce_metadata.run_steps AS step
JOIN recce_metadata.store_graph_changes AS change
  ON change.previous_graph_id = step.previous_graph_id
  AND change.graph_id = step.graph_id
  AND change.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
UNION ALL
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  name,
  resource_type,
  CASE
    WHEN previous_version_id IS NULL THEN 'added'
    WHEN version_id IS NULL THEN 'removed'
    WHEN
      code_changed OR config_changed OR columns_changed OR description_changed OR contract_changed
      OR rest_changed
    THEN 'modified'
    WHEN place_differs THEN 'moved'
    ELSE 'rewritten'
  END AS status,
  CASE WHEN both_there THEN code_changed END AS code_changed,
  CASE WHEN both_there THEN compiled_changed END AS compiled_changed,
  CASE WHEN both_there THEN config_changed END AS config_changed,
  CASE WHEN both_there THEN columns_changed END AS columns_changed,
  CASE WHEN both_there THEN description_changed END AS description_changed,
  CASE WHEN both_there THEN contract_changed END AS contract_changed,
  CASE WHEN both_there THEN place_differs END AS place_changed,
  version_id,
  previous_version_id,
  relation_name,
  previous_relation_name
FROM compared
WHERE
  resource_type NOT IN ('group', 'disabled')
  -- Versions also differ if only one side was compiled, or has a catalog.
  AND (
    NOT both_there
    OR NOT same_dbt
    OR code_changed
    OR compiled_changed
    OR config_changed
    OR columns_changed
    OR description_changed
    OR contract_changed
    OR rest_changed
    OR place_differs
  );
