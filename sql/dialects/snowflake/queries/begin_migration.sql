-- Wait for recorders of a store before version 9, if it is migrated in a separate transaction.
UPDATE recce_metadata.store SET written_at = CURRENT_TIMESTAMP();
