-- hand-written: sqlite_schema instead of information_schema
-- Tables and views of the file. A table `store` without the columns of a store belongs to the user.
SELECT
  CASE
    WHEN
      LOWER(name) = 'store'
      AND NOT EXISTS (SELECT 1 FROM PRAGMA_TABLE_INFO('store') AS item WHERE item.name = 'schema_version')
    THEN 'store (of the user)'
    ELSE name
  END AS name
FROM sqlite_schema
WHERE type IN ('table', 'view');
