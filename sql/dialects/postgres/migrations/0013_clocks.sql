-- What a change of an annotation replaces, and when this store first saw a deletion. Unknown for rows from before: such
-- changes follow each other by time, and the next prune dates such deletions.
ALTER TABLE recce_metadata.store_annotation_events
ADD COLUMN IF NOT EXISTS replaces TEXT;
ALTER TABLE recce_metadata.store_tombstones
ADD COLUMN IF NOT EXISTS first_seen_at TIMESTAMPTZ;
