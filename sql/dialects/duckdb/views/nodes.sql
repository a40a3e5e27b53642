-- hand-written: lists and maps instead of a correlated query, which DuckDB would run even if it is not selected.
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
  node."columns",
  place.database_name,
  place.identifier,
  place.relation_name,
  node.materialized,
  CASE
    WHEN NOT CONTAINS(node.compiled_code, '⟦') THEN node.compiled_code
    ELSE STRING_SPLIT(node.compiled_code, '⟦')[1] || ARRAY_TO_STRING(
      [
        CASE
          WHEN STARTS_WITH(piece, '⟧') THEN '⟦' || SUBSTR(piece, 2)
          ELSE COALESCE(
            -- Text between the token's id and the next entry, in the bucket of that id.
            STRING_SPLIT(
              STRING_SPLIT(
                MAP_EXTRACT(run_relations.buckets, HASH(SPLIT_PART(piece, '⟧', 1)) % 64)[1],
                CHR(30) || SPLIT_PART(piece, '⟧', 1) || CHR(31)
              )[2],
              CHR(30)
            )[1] || SUBSTR(piece, STRPOS(piece, '⟧') + 1),
            '⟦' || piece
          )
        END
        FOR piece IN STRING_SPLIT(node.compiled_code, '⟦')[2:]
      ],
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
  -- Relations of each run, as entries `<30>unique id<31>relation` in 64 strings, because DuckDB reads a whole
  -- map to find one key, and copies lists (but not strings) from row to row.
  SELECT run_id, MAP(LIST(bucket), LIST(entries)) AS buckets
  FROM (
    SELECT
      runs.run_id,
      HASH(place.unique_id) % 64 AS bucket,
      STRING_AGG(CHR(30) || place.unique_id || CHR(31) || place.relation_name, '') AS entries
    FROM recce_metadata.store_runs AS runs
    JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
    WHERE place.relation_name IS NOT NULL
    GROUP BY runs.run_id, bucket
  ) AS bucketed
  GROUP BY run_id
) AS run_relations
  -- The second condition also keeps this join above the others: below them, the strings would be copied.
  ON run_relations.run_id = runs.run_id AND CONTAINS(node.compiled_code, '⟦')
WHERE node.resource_type NOT IN ('group', 'disabled');
