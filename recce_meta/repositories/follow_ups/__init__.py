"""What follows a job: comparison, comment, commit status, checks, notifications and removal of old runs."""
