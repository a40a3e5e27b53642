"""What a project already produces, read into `recce_meta.models` values."""
