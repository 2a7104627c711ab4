"""From sources to records: recording, windows, engine, store, sockets."""
