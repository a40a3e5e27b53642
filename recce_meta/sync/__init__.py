"""Exchange of runs and annotations between two replicas: stores, bundle files and servers."""
