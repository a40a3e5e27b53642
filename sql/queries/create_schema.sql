-- Run only if the schema is missing: many roles may create tables but no schemas.
CREATE SCHEMA IF NOT EXISTS recce_metadata;
