"""Values to text, tables and JSON objects; nothing here prints, waits or reads a clock."""
