"""A job: its durable workflow, and the stages that read a repository or a database and record a run."""
