"""Storage of what people say about nodes, columns, edges and checks."""
