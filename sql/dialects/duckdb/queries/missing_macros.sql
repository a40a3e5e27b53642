-- Macro versions of a set that are not stored yet.
SELECT
  macro_sets.version_id
FROM recce_metadata.store_macro_sets AS macro_sets
WHERE
  macro_sets.macro_set_id = :macro_set_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_macros AS macros
    WHERE
      macros.version_id = macro_sets.version_id
  );
