-- hand-written: who locks a table before anything else waits for others, where an UPDATE would fail
-- Always empty. Recorders lock it for as long as they write, so that they wait for each other; readers never look.
CREATE TABLE IF NOT EXISTS recce_metadata.writers (
  locked_at TIMESTAMPTZ
);
