"""Options of connections, each declared once: name, type, default, range, help, and where it is shown."""
