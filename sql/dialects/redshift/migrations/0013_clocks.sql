-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- What a change of an annotation replaces, and when this store first saw a deletion. Unknown for rows from before: such
-- changes follow each other by time, and the next prune dates such deletions.
ALTER TABLE recce_metadata.store_annotation_events
ADD COLUMN replaces VARCHAR(65535);
ALTER TABLE recce_metadata.store_tombstones
ADD COLUMN first_seen_at TIMESTAMP WITH TIME ZONE;
