"""Language server: column lineage, impact and diagnostics of unsaved SQL in any editor."""
