-- Which foreign keys have no index on their own columns?
-- Asked by: a DBA, when deletes are slow: each deleted parent row searches the child for rows that refer to it.
-- Answer: shop | relation.public.rental | rental_customer_fk | customer_id | relation.public.customer
-- Topic: Columns and lineage
-- An index counts if it starts with the key's columns in the same order. The same holds for primary and unique keys.
-- Expression indexes are not detected, nor columns that the catalog spells differently.
SELECT
  link.project_name,
  link.node_id,
  link.name,
  link.column_names,
  link.parent_id,
  link.on_delete
FROM latest_scans AS scan
JOIN foreign_keys AS link ON link.run_id = scan.run_id
LEFT JOIN (
  SELECT
    link.run_id,
    link.node_id,
    link.ordinal
  FROM foreign_keys AS link
  JOIN latest_constraints AS other ON other.run_id = link.run_id AND other.unique_id = link.node_id
  WHERE
    other.constraint_type IN ('primary_key', 'unique')
    AND (other.column_names = link.column_names OR STARTS_WITH(other.column_names, link.column_names || ', '))
  UNION
  SELECT
    link.run_id,
    link.node_id,
    link.ordinal
  FROM foreign_keys AS link
  JOIN latest_indexes AS other ON other.run_id = link.run_id AND other.unique_id = link.node_id
  WHERE
    STRPOS(REPLACE(other.definition, '"', ''), '(' || link.column_names || ')') > 0
    OR STRPOS(REPLACE(other.definition, '"', ''), '(' || link.column_names || ',') > 0
) AS served ON served.run_id = link.run_id AND served.node_id = link.node_id AND served.ordinal = link.ordinal
WHERE
  link.environment = 'current' -- edit: the environment
  AND served.node_id IS NULL
ORDER BY link.project_name, link.node_id, link.ordinal;
