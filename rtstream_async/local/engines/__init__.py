"""Engines that look and listen: ports and their adapters."""
