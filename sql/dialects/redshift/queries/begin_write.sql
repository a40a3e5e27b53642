-- hand-written: a transaction that locks before it reads does not conflict with the transaction it waited for
-- First statements of every writer: a concurrent writer waits here.
LOCK recce_metadata.store_writers;

UPDATE recce_metadata.store SET written_at = GETDATE();
