"""SQLMesh projects as runs of recce_meta."""
