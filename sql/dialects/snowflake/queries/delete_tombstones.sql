-- Delete the tombstones from before a time: every store that still exchanges runs has received them.
DELETE FROM recce_metadata.store_tombstones
WHERE
  deleted_at < CAST(:before AS TIMESTAMPTZ);
