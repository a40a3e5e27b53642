-- hand-written: no subquery per row over an array
-- One row per run and node: the project at the time of the run, without groups.
-- Key: run_id, unique_id (an environment is a label of its run).
-- Compiled SQL is stored without its environment: a token, ⟦unique id⟧, replaces each relation that dbt wrote. ⟦⟧
-- replaces an opening bracket of the code itself. `compiled_code` restores the relations. Strings have at most 65,535
-- bytes here; a longer string ends before a relation.
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
  CASE WHEN STRPOS(node.compiled_code, '⟦') > 0 THEN compiled.code ELSE node.compiled_code END AS compiled_code,
  node."language",
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
  SELECT
    piece.graph_id,
    piece.version_id,
    LISTAGG(piece.text, '') WITHIN GROUP (ORDER BY piece.number) AS code
  FROM (
    SELECT
      piece.graph_id,
      piece.version_id,
      piece.number,
      piece.text,
      SUM(OCTET_LENGTH(piece.text)) OVER (
        PARTITION BY piece.graph_id, piece.version_id
        ORDER BY piece.number
        ROWS UNBOUNDED PRECEDING
      ) AS size
    FROM (
      SELECT
        piece.graph_id,
        piece.version_id,
        piece.number,
        CASE
          WHEN piece.number = 0 THEN piece.text
          WHEN LEFT(piece.text, 1) = '⟧' THEN '⟦' || SUBSTRING(piece.text, 2)
          ELSE COALESCE(
            target.relation_name || SUBSTRING(piece.text, STRPOS(piece.text, '⟧') + 1),
            '⟦' || piece.text
          )
        END AS text
      FROM (
        SELECT
          split.graph_id, split.version_id, CAST(number AS BIGINT) AS number,
          CAST(item AS VARCHAR(65535)) AS text
        FROM (
          SELECT place.graph_id, node.version_id, SPLIT_TO_ARRAY(node.compiled_code, '⟦') AS pieces
          FROM recce_metadata.store_graph_nodes AS place
          JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
          WHERE STRPOS(node.compiled_code, '⟦') > 0
        ) AS split, split.pieces AS item AT number
      ) AS piece
      LEFT JOIN recce_metadata.store_graph_nodes AS target
        ON target.graph_id = piece.graph_id
        AND target.unique_id = SPLIT_PART(piece.text, '⟧', 1)
        AND piece.number > 0
    ) AS piece
  ) AS piece
  WHERE piece.size <= 65535
  GROUP BY piece.graph_id, piece.version_id
) AS compiled ON compiled.graph_id = runs.graph_id AND compiled.version_id = node.version_id
WHERE node.resource_type NOT IN ('group', 'disabled');
