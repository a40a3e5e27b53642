"""APIs of forges: webhooks, comments, commit statuses, and open pull requests."""
