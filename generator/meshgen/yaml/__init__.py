"""YAML for the GitOps tree: a strict reader, and an emitter that Go's readers read back unchanged."""

from meshgen.yaml.emitter import emit, emit_documents, flow, scalar
from meshgen.yaml.problem import Mark, Problem, ReadError, pointer
from meshgen.yaml.reader import Location, locate, read_document, read_documents

__all__ = [
    "Location",
    "Mark",
    "Problem",
    "ReadError",
    "emit",
    "emit_documents",
    "flow",
    "locate",
    "pointer",
    "read_document",
    "read_documents",
    "scalar",
]
