"""A local VideoDB-compatible RTStream server."""
