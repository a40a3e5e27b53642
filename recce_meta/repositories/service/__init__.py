"""Operations on connections, for the command line, the API and the pages; a test, and the webhooks."""
