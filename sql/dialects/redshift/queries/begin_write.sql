-- hand-written: a transaction that locks before it reads does not conflict with the one it has waited for
-- The first statements of every writer: a second one waits here.
LOCK recce_metadata.writers;

UPDATE recce_metadata.store SET written_at = GETDATE();
