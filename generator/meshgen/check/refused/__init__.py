"""What an API server refuses by its own validation, of manifests that are right by their schema."""

from meshgen.check.refused.refuse import refusal_remarks, refusals_of

__all__ = ["refusal_remarks", "refusals_of"]
