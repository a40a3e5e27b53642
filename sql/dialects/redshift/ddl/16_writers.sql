-- hand-written: a process that locks a table first waits for other processes; an UPDATE would fail
-- Always empty. Recorders lock it while they write, so they wait for each other; readers do not use it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_writers (
  locked_at TIMESTAMPTZ
);
