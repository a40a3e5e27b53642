-- The macros of a set: all of them, or those whose ids are in a list of lines.
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
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR macros.unique_id IN (
      SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(unique_id)
    )
  );
