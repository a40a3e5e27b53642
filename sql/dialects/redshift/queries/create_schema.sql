-- hand-written: names the schema alone
-- Only run where the schema is missing: many roles may create tables but no schema.
CREATE SCHEMA IF NOT EXISTS recce_metadata;
