-- hand-written: others fail and retry, or a CREATE is a no-op if the object exists
-- Make other processes that create or migrate the same schema wait until this transaction ends.
SELECT PG_ADVISORY_XACT_LOCK(HASHTEXT(:schema));
