-- Version of each macro of a set.
SELECT
  macros.unique_id,
  macros.version_id
FROM recce_metadata.store_macro_sets AS macro_sets
JOIN recce_metadata.store_macros AS macros
  ON macros.version_id = macro_sets.version_id
WHERE
  macro_sets.macro_set_id = :macro_set_id;
