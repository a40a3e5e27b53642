"""Git repositories: checked addresses, credentials, branch heads, mirrors and checkouts."""
