"""The offline speech engine: it hears with a model that is on this machine."""
