"""The Jinja2 templates; a template `X.j2` writes `X`."""
