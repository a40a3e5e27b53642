-- Let earlier versions of recce_meta refuse the store while its tables are renamed. Sent after the first rename.
UPDATE recce_metadata.store SET read_version = :read_version, migrated_by = :migrated_by
WHERE
  TRUE;
