"""Subjects made by hand, for what needs no config."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshgen.build.stage import ADDONS
from meshgen.config.document import Document
from meshgen.config.resolve import Cluster, Layer
from meshgen.policy import Subject


def subject(
    objects: Iterable[dict[str, Any]] = (),
    settings: dict[str, Any] | None = None,
    *,
    environment: str = "dev",
    labels: dict[str, str] | None = None,
) -> Subject:
    """A cluster with these settings and objects of its own."""
    whole = {"istio": {"version": "1.30.3"}, **(settings or {})}
    document = Document("overlays/dev.yaml", b"", {}) if labels else None
    entry = Layer(document, "", {"labels": labels}) if document else None
    cluster = Cluster("one", environment, "generic", None, "https://one", whole, (), entry)
    return Subject(cluster, tuple((ADDONS, obj) for obj in objects))
