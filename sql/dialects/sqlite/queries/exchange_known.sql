-- Ids in a newline-separated list that are stored: one query per kind of piece of an exchange. A graph,
-- a set of macros and a column graph are stored completely if a recorded run has them.
SELECT DISTINCT
  graph_id
FROM store_runs
WHERE
  graph_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  part_id
FROM store_part_nodes
WHERE
  part_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  version_id
FROM store_node_versions
WHERE
  version_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  macro_set_id
FROM store_runs
WHERE
  macro_set_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  version_id
FROM store_macros
WHERE
  version_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  column_graph_id
FROM store_runs
WHERE
  column_graph_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  part_id
FROM store_column_part_nodes
WHERE
  part_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  lineage_id
FROM store_column_analyses
WHERE
  lineage_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
SELECT DISTINCT
  part_id
FROM store_relation_facts
WHERE
  part_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  );
