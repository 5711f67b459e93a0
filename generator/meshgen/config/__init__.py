"""From text to resolved clusters: load, validate, resolve."""
