"""Engines behind OpenAI-compatible endpoints: vision, speech, language and embedding."""
