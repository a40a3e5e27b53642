-- Ids in a newline-separated list that are stored: one query per kind of piece of an exchange. A graph,
-- a set of macros and a column graph are stored completely if a recorded run has them.
SELECT DISTINCT
  graph_id
FROM recce_metadata.store_runs
WHERE
  graph_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  part_id
FROM recce_metadata.store_part_nodes
WHERE
  part_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  version_id
FROM recce_metadata.store_node_versions
WHERE
  version_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  macro_set_id
FROM recce_metadata.store_runs
WHERE
  macro_set_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  version_id
FROM recce_metadata.store_macros
WHERE
  version_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  column_graph_id
FROM recce_metadata.store_runs
WHERE
  column_graph_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  part_id
FROM recce_metadata.store_column_part_nodes
WHERE
  part_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  lineage_id
FROM recce_metadata.store_column_analyses
WHERE
  lineage_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
SELECT DISTINCT
  part_id
FROM recce_metadata.store_relation_facts
WHERE
  part_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
