"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# A run that decides whether a change lands must give the same verdict twice; the search for new
# counterexamples goes on wherever people work.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("people", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")
