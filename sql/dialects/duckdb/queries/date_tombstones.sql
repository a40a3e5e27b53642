-- Date the deletions that an earlier version wrote, or a store without runs: this store sees them now.
UPDATE recce_metadata.store_tombstones SET first_seen_at = :seen_at
WHERE
  first_seen_at IS NULL;
