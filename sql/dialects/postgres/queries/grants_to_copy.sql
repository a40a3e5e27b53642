-- hand-written: only PostgreSQL has grants on relations that a new view does not inherit
-- Statements that let the readers of a renamed table read the view that has its former name.
SELECT
  FORMAT(
    'GRANT SELECT ON %I.%I TO %s',
    own_schema.nspname,
    own_view.relname,
    CASE WHEN granted.grantee = 0 THEN 'PUBLIC' ELSE QUOTE_IDENT(reader.rolname) END
  ) AS statement
FROM pg_catalog.pg_namespace AS own_schema
JOIN pg_catalog.pg_class AS own_view ON own_view.relnamespace = own_schema.oid AND own_view.relkind = 'v'
JOIN pg_catalog.pg_class AS renamed
  ON renamed.relnamespace = own_schema.oid AND renamed.relname = 'store_' || own_view.relname
CROSS JOIN LATERAL ACLEXPLODE(renamed.relacl) AS granted
LEFT JOIN pg_catalog.pg_roles AS reader ON reader.oid = granted.grantee
WHERE
  own_schema.nspname = :schema
  AND renamed.relkind = 'r'
  AND granted.privilege_type = 'SELECT'
  AND granted.grantee <> own_view.relowner;
