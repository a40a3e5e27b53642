-- hand-written: no subquery per row: the texts of two dbt versions are compared item by item
-- One row per run and node that differs from the previous run of the same project and environment.
-- Key: run_id, unique_id. `status` is 'added', 'removed', 'modified' (different content), 'moved' (same content in
-- another database or schema or under another name) or 'rewritten' (the runs are of different dbt versions, which
-- serialise the same content differently).
-- The columns that end in `_changed` show what differs in nodes of both runs, ignoring whitespace in code. They are
-- NULL if a node was added or removed. `columns_changed` is also NULL if either run has no catalog.
--
-- Every dbt version writes different config keys, checksums and compiled SQL. Across versions, only the project's own
-- text is compared: code, columns, descriptions, parents, tags, and config keys that differ in both text and value.
CREATE OR REPLACE VIEW recce_metadata.node_changes AS
WITH steps AS (
  SELECT
    run_id, previous_run_id, project_name, environment, run_at, graph_id, previous_graph_id,
    dbt_version IS NOT DISTINCT FROM previous_dbt_version AS same_dbt
  FROM recce_metadata.run_steps
  WHERE graph_id <> previous_graph_id
), parts AS (
  -- Parts that only one of the two graphs has; shared parts cannot differ.
  SELECT
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at, step.same_dbt,
    part.part_id, BOOLOR_AGG(side.is_current) AS is_current
  FROM steps AS step
  CROSS JOIN (VALUES (TRUE), (FALSE)) AS side(is_current)
  JOIN recce_metadata.store_graph_parts AS part
    ON part.graph_id = CASE WHEN side.is_current THEN step.graph_id ELSE step.previous_graph_id END
  GROUP BY
    step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at, step.same_dbt,
    part.part_id
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
), differing AS (
  SELECT pairs.*, version_id IS NOT NULL AND previous_version_id IS NOT NULL AS both_there
  FROM pairs
  WHERE version_id IS DISTINCT FROM previous_version_id OR place_differs
), versions AS (
  -- Texts of two dbt versions, compared item by item.
  SELECT
    differing.run_id, differing.unique_id, side.is_current, node.version_id,
    node.unrendered_config, node.config, node.columns, node.tags
  FROM differing
  CROSS JOIN (VALUES (TRUE), (FALSE)) AS side(is_current)
  JOIN recce_metadata.store_node_versions AS node
    ON node.version_id = CASE WHEN side.is_current THEN differing.version_id ELSE differing.previous_version_id END
  WHERE differing.both_there AND NOT differing.same_dbt
), facets AS (
  SELECT
    version.run_id, version.unique_id, version.is_current, 'unrendered' AS facet,
    REPLACE(item.key, '_hook', '-hook') AS item, CAST(item.value AS VARCHAR) AS content
  FROM versions AS version, LATERAL FLATTEN(INPUT => version.unrendered_config) AS item
  UNION ALL
  SELECT version.run_id, version.unique_id, version.is_current, 'config', item.key, LOWER(CAST(item.value AS VARCHAR))
  FROM versions AS version, LATERAL FLATTEN(INPUT => version.config) AS item
  UNION ALL
  SELECT
    version.run_id, version.unique_id, version.is_current, 'columns', CAST(item.index AS VARCHAR),
    TO_JSON(ARRAY_CONSTRUCT(
      LOWER(CAST(GET_PATH(item.value, 'name') AS VARCHAR)),
      LOWER(CAST(GET_PATH(item.value, 'type') AS VARCHAR)),
      CAST(GET_PATH(item.value, 'description') AS VARCHAR)
    ))
  FROM versions AS version, LATERAL FLATTEN(INPUT => version.columns) AS item
  UNION ALL
  SELECT version.run_id, version.unique_id, version.is_current, 'tags', CAST(item.value AS VARCHAR), ''
  FROM versions AS version, LATERAL FLATTEN(INPUT => version.tags) AS item
  UNION ALL
  SELECT version.run_id, version.unique_id, version.is_current, 'parents', edge.parent_id, ''
  FROM versions AS version
  JOIN recce_metadata.store_version_parents AS edge ON edge.version_id = version.version_id
), differing_items AS (
  SELECT run_id, unique_id, facet, item
  FROM facets
  GROUP BY run_id, unique_id, facet, item
  HAVING MAX(CASE WHEN is_current THEN content END) IS DISTINCT FROM MAX(CASE WHEN NOT is_current THEN content END)
), differing_names AS (
  SELECT
    run_id, unique_id,
    MAX(CASE WHEN facet = 'unrendered' THEN 1 ELSE 0 END)
    * MAX(CASE
      WHEN
        facet = 'config'
        AND item NOT IN (
          'database', 'schema', 'alias', 'tags', 'meta', 'group', 'access', 'contract', 'enabled', 'quoting'
        )
      THEN 1 ELSE 0
    END) AS config_differs,
    MAX(CASE WHEN facet = 'columns' THEN 1 ELSE 0 END) AS columns_differ,
    MAX(CASE WHEN facet = 'tags' THEN 1 ELSE 0 END) AS tags_differ,
    MAX(CASE WHEN facet = 'parents' THEN 1 ELSE 0 END) AS parents_differ
  FROM differing_items
  GROUP BY run_id, unique_id, item
), differences AS (
  SELECT
    run_id, unique_id,
    MAX(config_differs) AS config_differs,
    MAX(columns_differ) AS columns_differ,
    MAX(tags_differ) AS tags_differ,
    MAX(parents_differ) AS parents_differ
  FROM differing_names
  GROUP BY run_id, unique_id
), compared AS (
  SELECT
    pairs.*,
    COALESCE(node.name, previous.name) AS name,
    COALESCE(node.resource_type, previous.resource_type) AS resource_type,
    CASE
      WHEN pairs.same_dbt THEN node.code_hash IS DISTINCT FROM previous.code_hash
      -- dbt itself writes the code of a generic test. If either code is missing, nothing is compared.
      ELSE GET_PATH(node.properties, 'test_metadata') IS NULL AND COALESCE(node.code_hash <> previous.code_hash, FALSE)
    END AS code_changed,
    -- dbt compiles only what an invocation selects.
    CASE
      WHEN (node.compiled_hash IS NULL) = (previous.compiled_hash IS NULL)
      THEN node.compiled_hash IS DISTINCT FROM previous.compiled_hash
    END AS compiled_changed,
    CASE
      WHEN pairs.same_dbt THEN TO_JSON(node.config) IS DISTINCT FROM TO_JSON(previous.config)
      WHEN node.resource_type IN ('analysis', 'operation', 'source') THEN FALSE -- dbt does not build these
      ELSE COALESCE(differences.config_differs, 0) = 1
    END AS config_changed,
    CASE
      WHEN node.columns_from IS DISTINCT FROM previous.columns_from THEN NULL
      WHEN pairs.same_dbt THEN TO_JSON(node.columns) IS DISTINCT FROM TO_JSON(previous.columns)
      ELSE COALESCE(differences.columns_differ, 0) = 1
    END AS columns_changed,
    node.description IS DISTINCT FROM previous.description AS description_changed,
    CASE
      WHEN pairs.same_dbt THEN TO_JSON(node.contract) IS DISTINCT FROM TO_JSON(previous.contract)
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
        OR (node.resource_type <> 'operation' AND COALESCE(differences.tags_differ, 0) = 1)
        OR CAST(GET_PATH(node.properties, 'source_description') AS VARCHAR) IS DISTINCT FROM CAST(GET_PATH(previous.properties, 'source_description') AS VARCHAR)
        OR TO_JSON(GET_PATH(node.properties, 'owner')) IS DISTINCT FROM TO_JSON(GET_PATH(previous.properties, 'owner'))
        OR (
          node.resource_type = 'seed'
          AND node.checksum_rule = previous.checksum_rule
          AND node.checksum_rule <> 'path'
          AND node.checksum <> previous.checksum
        )
        OR COALESCE(differences.parents_differ, 0) = 1
    END AS rest_changed
  FROM differing AS pairs
  LEFT JOIN recce_metadata.store_node_versions AS node ON node.version_id = pairs.version_id
  LEFT JOIN recce_metadata.store_node_versions AS previous ON previous.version_id = pairs.previous_version_id
  LEFT JOIN differences ON differences.run_id = pairs.run_id AND differences.unique_id = pairs.unique_id
)
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
