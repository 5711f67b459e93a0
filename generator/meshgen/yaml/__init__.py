"""YAML for the GitOps tree: a strict reader, and an emitter that Go's readers read back unchanged."""

from meshgen.yaml.emitter import emit, emit_documents, flow, scalar
from meshgen.yaml.problem import NOWHERE, Mark, Problem, ReadError, at_pointer, pointer
from meshgen.yaml.reader import Location, locate, read_document, read_documents, scalar_spans

__all__ = [
    "NOWHERE",
    "Location",
    "Mark",
    "Problem",
    "ReadError",
    "at_pointer",
    "emit",
    "emit_documents",
    "flow",
    "locate",
    "pointer",
    "read_document",
    "read_documents",
    "scalar",
    "scalar_spans",
]
