"""A config that was made of other files: what is wrong with it is said where its fields were written."""

from __future__ import annotations

from dataclasses import dataclass

from meshgen.config.document import Document
from meshgen.yaml import NOWHERE, Location, at_pointer


@dataclass(frozen=True)
class Origin:
    """Which part of a config (a JSON pointer) came from which part of which document."""

    pointer: str
    document: Document
    at: str


@dataclass
class ImportedDocument(Document):
    """A document of a config, with the origins of its parts: the longest pointer that leads to a part counts."""

    origins: tuple[Origin, ...] = ()

    def origin(self, pointer: str) -> tuple[Document, str]:
        """The document, and the place in it, that a part of the config came from."""
        leading = (one for one in self.origins if pointer == one.pointer or pointer.startswith(one.pointer + "/"))
        origin = max(leading, key=lambda one: len(one.pointer))
        # What came from no part in particular stands for the whole.
        at = origin.at + pointer.removeprefix(origin.pointer) if origin.pointer else ""
        return origin.document.origin(at)

    def came_from(self, document: Document, pointer: str) -> str:
        """Where in the config a part of a document came to stand; the nearest part around it that did."""
        found = [
            (len(one.at), one.pointer + pointer.removeprefix(one.at))
            for one in self.origins
            if one.document is document and (pointer == one.at or pointer.startswith(one.at + "/"))
        ]
        return max(found)[1] if found else ""


@dataclass
class BuiltDocument(Document):
    """An object that Kustomize built of files: positions are in the file that says the same at the same place.

    `sources` are the objects that may have said it, `own` those of them whose comments are this document's.
    """

    sources: tuple[Document, ...] = ()
    own: tuple[Document, ...] = ()

    def origin(self, pointer: str) -> tuple[Document, str]:
        """The file that says the same at the same place; this document, where only Kustomize knows."""
        said = at_pointer(self.value, pointer) if pointer else NOWHERE
        same = (source for source in self.sources if said is not NOWHERE and at_pointer(source.value, pointer) == said)
        return next(same, self), pointer

    def place(self, pointer: str) -> Location | None:
        """Nowhere: what Kustomize built is in no file that a person could look at."""
        return None
