"""Async-first Python SDK for VideoDB RTStream."""
