-- Ids in a newline-separated list that are stored: one query per kind of piece of an exchange. A graph,
-- a set of macros and a column graph are stored completely if a recorded run has them.
SELECT DISTINCT graph_id
FROM store_runs
WHERE graph_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT part_id
FROM store_part_nodes
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT version_id
FROM store_node_versions
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT macro_set_id
FROM store_runs
WHERE macro_set_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT version_id
FROM store_macros
WHERE version_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT column_graph_id
FROM store_runs
WHERE column_graph_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT part_id
FROM store_column_part_nodes
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT lineage_id
FROM store_column_analyses
WHERE lineage_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));

SELECT DISTINCT part_id
FROM store_relation_facts
WHERE part_id IN (SELECT chosen.id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(id));
