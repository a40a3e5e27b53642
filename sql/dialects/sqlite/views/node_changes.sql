-- hand-written: JSON_EACH, and a join of the parts instead of LATERAL
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
DROP VIEW IF EXISTS node_changes;
CREATE VIEW node_changes AS
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
FROM run_steps AS step
JOIN store_graph_changes AS change
  ON change.previous_graph_id = step.previous_graph_id
  AND change.graph_id = step.graph_id
  AND change.same_dbt = (step.dbt_version IS step.previous_dbt_version)
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
FROM (
  SELECT
    pairs.*,
    COALESCE(node.name, previous.name) AS name,
    COALESCE(node.resource_type, previous.resource_type) AS resource_type,
    CASE
      WHEN pairs.same_dbt THEN node.code_hash IS NOT previous.code_hash
      -- dbt itself writes the code of a generic test. If either code is missing, nothing is compared.
      ELSE node.properties ->> '$.test_metadata' IS NULL AND COALESCE(node.code_hash <> previous.code_hash, FALSE)
    END AS code_changed,
    -- dbt compiles only what an invocation selects.
    CASE
      WHEN (node.compiled_hash IS NULL) = (previous.compiled_hash IS NULL)
      THEN node.compiled_hash IS NOT previous.compiled_hash
    END AS compiled_changed,
    CASE
      WHEN pairs.same_dbt THEN node.config IS NOT previous.config
      WHEN node.resource_type IN ('analysis', 'operation', 'source') THEN FALSE -- dbt does not build these
      ELSE EXISTS (
        SELECT 1
        FROM (
          SELECT key FROM JSON_EACH(node.unrendered_config)
          UNION
          SELECT key FROM JSON_EACH(previous.unrendered_config)
        ) AS written
        WHERE
          REPLACE(written.key, '_hook', '-hook') NOT IN (
            'database', 'schema', 'alias', 'tags', 'meta', 'group', 'access', 'contract', 'enabled', 'quoting'
          )
          AND (SELECT item.value FROM JSON_EACH(node.unrendered_config) AS item WHERE item.key = written.key)
            IS NOT (SELECT item.value FROM JSON_EACH(previous.unrendered_config) AS item WHERE item.key = written.key)
          -- a path would not find a key that contains quotes
          AND (
            SELECT LOWER(item.value) FROM JSON_EACH(node.config) AS item
            WHERE item.key = REPLACE(written.key, '_hook', '-hook')
          ) IS NOT (
            SELECT LOWER(item.value) FROM JSON_EACH(previous.config) AS item
            WHERE item.key = REPLACE(written.key, '_hook', '-hook')
          )
      )
    END AS config_changed,
    CASE
      WHEN node.columns_from IS NOT previous.columns_from THEN NULL
      WHEN pairs.same_dbt THEN node.columns IS NOT previous.columns
      ELSE (
        SELECT JSON_GROUP_ARRAY(JSON_ARRAY(
          LOWER(item.value ->> '$.name'), LOWER(item.value ->> '$.type'), item.value ->> '$.description'
        ))
        FROM JSON_EACH(node.columns) AS item
      ) IS NOT (
        SELECT JSON_GROUP_ARRAY(JSON_ARRAY(
          LOWER(item.value ->> '$.name'), LOWER(item.value ->> '$.type'), item.value ->> '$.description'
        ))
        FROM JSON_EACH(previous.columns) AS item
      )
    END AS columns_changed,
    node.description IS NOT previous.description AS description_changed,
    CASE
      WHEN pairs.same_dbt THEN node.contract IS NOT previous.contract
      ELSE (node.contract IS NULL) <> (previous.contract IS NULL)
    END AS contract_changed,
    CASE
      WHEN
        pairs.same_dbt
        AND (node.compiled_hash IS NULL) = (previous.compiled_hash IS NULL)
        AND COALESCE(node.columns_from, '') = COALESCE(previous.columns_from, '')
      THEN pairs.version_id <> pairs.previous_version_id
      ELSE
        node.materialized IS NOT previous.materialized
        OR COALESCE(node.access, 'protected') <> COALESCE(previous.access, 'protected')
        OR (node.resource_type <> 'test' AND node.group_name IS NOT previous.group_name)
        OR (node.resource_type <> 'operation' AND (
          EXISTS (SELECT value FROM JSON_EACH(node.tags) EXCEPT SELECT value FROM JSON_EACH(previous.tags))
          OR EXISTS (SELECT value FROM JSON_EACH(previous.tags) EXCEPT SELECT value FROM JSON_EACH(node.tags))
        ))
        OR node.properties ->> '$.source_description' IS NOT previous.properties ->> '$.source_description'
        OR node.properties ->> '$.owner' IS NOT previous.properties ->> '$.owner'
        OR (
          node.resource_type = 'seed'
          AND node.checksum_rule = previous.checksum_rule
          AND node.checksum_rule <> 'path'
          AND node.checksum <> previous.checksum
        )
        OR (
          SELECT GROUP_CONCAT(parent_id, ' ')
          FROM (
            SELECT edge.parent_id
            FROM store_version_parents AS edge
            WHERE edge.version_id = pairs.version_id AND NOT pairs.same_dbt
            ORDER BY edge.parent_id
          ) AS in_order
        ) IS NOT (
          SELECT GROUP_CONCAT(parent_id, ' ')
          FROM (
            SELECT edge.parent_id
            FROM store_version_parents AS edge
            WHERE edge.version_id = pairs.previous_version_id AND NOT pairs.same_dbt
            ORDER BY edge.parent_id
          ) AS in_order
        )
    END AS rest_changed
  FROM (
    SELECT pairs.*, version_id IS NOT NULL AND previous_version_id IS NOT NULL AS both_there
    FROM (
      SELECT
        parts.run_id, parts.previous_run_id, parts.project_name, parts.environment, parts.run_at, parts.same_dbt,
        place.unique_id,
        MAX(CASE WHEN is_current THEN version_id END) AS version_id,
        MAX(CASE WHEN NOT is_current THEN version_id END) AS previous_version_id,
        MAX(CASE WHEN is_current THEN relation_name END) AS relation_name,
        MAX(CASE WHEN NOT is_current THEN relation_name END) AS previous_relation_name,
        (
          MAX(CASE WHEN is_current THEN database_name END) IS NOT MAX(CASE WHEN NOT is_current THEN database_name END)
          OR MAX(CASE WHEN is_current THEN schema_name END) IS NOT MAX(CASE WHEN NOT is_current THEN schema_name END)
          OR MAX(CASE WHEN is_current THEN identifier END) IS NOT MAX(CASE WHEN NOT is_current THEN identifier END)
          OR MAX(CASE WHEN is_current THEN relation_name END) IS NOT MAX(CASE WHEN NOT is_current THEN relation_name END)
        ) AS place_differs
      FROM (
        -- Parts that only one of the two graphs has; shared parts cannot differ.
        SELECT
          step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at,
          step.dbt_version IS step.previous_dbt_version AS same_dbt,
          part.part_id,
          MAX(part.graph_id = step.graph_id) AS is_current
        FROM run_steps AS step
        JOIN store_graph_parts AS part ON part.graph_id IN (step.graph_id, step.previous_graph_id)
        WHERE
          step.graph_id <> step.previous_graph_id
          AND NOT EXISTS (
            SELECT 1
            FROM store_graph_steps AS stored
            WHERE
              stored.previous_graph_id = step.previous_graph_id
              AND stored.graph_id = step.graph_id
              AND stored.same_dbt = (step.dbt_version IS step.previous_dbt_version)
          )
        GROUP BY
          step.run_id, step.previous_run_id, step.project_name, step.environment, step.run_at,
          step.dbt_version IS step.previous_dbt_version, part.part_id
        HAVING COUNT(*) = 1
      ) AS parts
      JOIN store_part_nodes AS place ON place.part_id = parts.part_id
      GROUP BY
        parts.run_id, parts.previous_run_id, parts.project_name, parts.environment, parts.run_at, parts.same_dbt,
        place.unique_id
    ) AS pairs
    WHERE version_id IS NOT previous_version_id OR place_differs
  ) AS pairs
  LEFT JOIN store_node_versions AS node ON node.version_id = pairs.version_id
  LEFT JOIN store_node_versions AS previous ON previous.version_id = pairs.previous_version_id
) AS compared
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
