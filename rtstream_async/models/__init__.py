"""Frozen values: what the service said, and what this package announces."""
