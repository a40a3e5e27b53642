"""Public functions: what each command does, with an adapter first and options as keyword arguments."""
