-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per set of macros and macro of the set. Runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macro_sets (
  macro_set_id TEXT(64) NOT NULL,
  version_id TEXT(64) NOT NULL
);
