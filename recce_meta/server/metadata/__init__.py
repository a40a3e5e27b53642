"""Routes of the API below `/api/metadata`: connected repositories, their extractions and lineage."""
