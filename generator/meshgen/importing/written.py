"""Writes an imported config: its documents with the comments that were read."""

from __future__ import annotations

from dataclasses import replace

from meshgen.importing.comments import Comment, Place, commented, comments_of
from meshgen.importing.positions import BuiltDocument, ImportedDocument
from meshgen.importing.taken import Taken


def text_of(document: ImportedDocument, taken: Taken) -> str:
    """The text of a document of the config, with the comments of the IstioOperators that it was made of."""
    placed = [
        replace(comment, pointer=document.came_from(operator, comment.pointer), where=_place(comment))
        for operator in taken.operators
        for source in (operator.own if isinstance(operator, BuiltDocument) else (operator,))
        for comment in comments_of(source)
        # What an editor is to check the file by is another schema now.
        if not comment.text.startswith("# yaml-language-server:")
    ]
    return commented(document.data.decode(), placed)


def _place(comment: Comment) -> Place:
    """What stood beside a field that is not carried over, such as `kind`, is said above what takes its place."""
    return "above" if comment.pointer in ("/apiVersion", "/kind") else comment.where
