-- The macros of one set that the other lacks or has in another version.
SELECT
  macros.unique_id,
  macros.name,
  macros.package_name,
  macros.path,
  macros.macro_sql,
  macros.code_hash,
  CAST(macros.macros AS TEXT) AS macros
FROM macro_sets
JOIN macros ON macros.version_id = macro_sets.version_id
WHERE
  macro_sets.macro_set_id = :macro_set_id
  AND NOT EXISTS (
    SELECT 1 FROM macro_sets AS other
    WHERE other.macro_set_id = :other_macro_set_id AND other.version_id = macro_sets.version_id
  );
