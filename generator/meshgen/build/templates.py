"""The Jinja2 environment: how a template of `templates/` becomes Kubernetes objects."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

# The folder `templates/`, wherever it is installed as a package.
_FOLDER = Path(str(import_module("meshgen.templates").__file__)).parent


def render_objects(template: str, **values: Any) -> list[dict[str, Any]]:
    """Give the objects that a template of YAML makes of the values, in the template's order.

    The template's name is its path below `templates/`. A value that the template asks for and does not get is an error.
    """
    from meshgen.yaml import read_documents

    text = _environment().get_template(template).render(values)
    return list(read_documents(text.encode()))


@cache
def read_text(name: str) -> str:
    """Give a file of `templates/` that is no template, such as a dashboard."""
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    # Jinja2 takes long to import, and most commands render nothing.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        finalize=_quoted,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The output is YAML, where HTML's escapes would be wrong; `finalize` quotes instead.
        autoescape=False,
    )


def _source(name: str) -> str | None:
    try:
        return read_text(name)
    except FileNotFoundError:
        return None


def _quoted(value: Any) -> str:
    """Write a value on one line, so that it is a single YAML value wherever it stands and can't add structure."""
    from jinja2 import Undefined

    from meshgen.yaml import flow

    if isinstance(value, Undefined):
        return str(value)  # StrictUndefined raises here, and names what is missing.
    return flow(value)


def render_text(template: str, **values: Any) -> str:
    """Give the text that a template which is not YAML makes of the values; nothing in it is quoted."""
    return _environment().overlay(finalize=str).get_template(template).render(values)


def render_yaml(template: str, **values: Any) -> str:
    """Give the YAML text that a template makes of the values, for people to go on writing."""
    return _environment().get_template(template).render(values)
