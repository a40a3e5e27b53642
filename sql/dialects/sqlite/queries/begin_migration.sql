-- Wait for recorders of a store before version 9, if it is migrated in a separate transaction.
UPDATE store SET written_at = STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now');
