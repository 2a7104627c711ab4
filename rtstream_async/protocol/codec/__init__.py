"""Between the wire and the models; the only place that knows s, ms, us and ISO times."""
