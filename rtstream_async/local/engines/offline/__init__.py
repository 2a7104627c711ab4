"""The offline vision engine: it looks at frames with models that are on this machine."""
