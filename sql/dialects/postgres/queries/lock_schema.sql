-- Make other processes that create or migrate the same schema wait until this transaction ends.
SELECT
  PG_ADVISORY_XACT_LOCK(HASHTEXT(:schema));
