"""What people say about nodes, columns, edges and checks: annotations, and marks of reviewers."""
