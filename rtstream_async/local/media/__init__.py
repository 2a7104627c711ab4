"""Everything that touches PyAV."""
