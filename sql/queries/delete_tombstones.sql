-- Delete the tombstones that this store first saw before a time: every store that still exchanges runs has received them.
DELETE FROM store_tombstones
WHERE first_seen_at < CAST(:before AS TIMESTAMPTZ);
