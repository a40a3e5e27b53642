-- hand-written: the table that recorders lock had no prefix before version 9
-- Wait for recorders of a store before version 9, if it is migrated in a separate transaction.
LOCK recce_metadata.writers;

UPDATE recce_metadata.store SET written_at = GETDATE();
