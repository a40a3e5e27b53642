"""MCP server: agents ask the store what changed, what it breaks, and what must be built."""
