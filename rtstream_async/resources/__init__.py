"""Handles: the objects of the service, with their methods."""
