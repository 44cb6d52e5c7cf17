"""The YAML file that says everything about a run: its schema, its loading, its errors."""
