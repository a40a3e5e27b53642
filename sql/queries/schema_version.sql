-- Schema version of the store; no row only while the store is being created.
SELECT schema_version FROM store;
