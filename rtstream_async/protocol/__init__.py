"""The protocol without I/O: values in, values out."""
