"""Event prompts in English: what they ask for, and whether an observation fits."""
