"""JSON API of the server under `/api`: routes, their parameters and answers, and the OpenAPI document."""
