"""References inside the tree that lead nowhere: what a server accepts, and what can't work."""

from meshgen.check.dangling.dangle import reference_remarks

__all__ = ["reference_remarks"]
