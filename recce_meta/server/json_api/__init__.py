"""JSON API of the server under `/api`: thin routes over the functions of `api`, and the OpenAPI document."""
