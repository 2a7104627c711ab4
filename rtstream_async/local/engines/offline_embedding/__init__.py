"""The offline embedding engine: texts become vectors with a model on this machine."""
