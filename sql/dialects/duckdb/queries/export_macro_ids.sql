-- Which version of each macro a set holds.
SELECT
  macros.unique_id,
  macros.version_id
FROM recce_metadata.macro_sets
JOIN recce_metadata.macros
  ON macros.version_id = macro_sets.version_id
WHERE
  macro_sets.macro_set_id = :macro_set_id;
