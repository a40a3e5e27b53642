-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per set of macros and macro in it; runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.macro_sets (
  macro_set_id TEXT(64) NOT NULL,
  version_id TEXT(64) NOT NULL
);
