"""The server's own description of its REST calls, as an OpenAPI document."""
