"""Pure rules of the local server: no clock, no socket, no disk."""
