"""What the local server remembers: SQLite, one worker thread, times in microseconds."""
