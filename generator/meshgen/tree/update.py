"""Brings the tree on the disk to what a rendering says; the only caller of the writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from meshgen.errors import InputError
from meshgen.tree.plan import Plan, plan


def compare(root: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> Plan:
    """Say what an update would do; nothing is changed. Raises InputError for what stands in the way."""
    planned = plan(root, files, overwrite=overwrite)
    if planned.conflicts:
        raise InputError(planned.conflicts)
    return planned


def update(
    root: Path, files: Mapping[str, bytes], *, overwrite: bool = False, notify: Callable[[str], None] | None = None
) -> Plan:
    """Write the tree, all or nothing, and say what was done; `notify` is told when another run has to be waited for."""
    from meshgen.tree.write import locked, write

    unlocked = plan(root, files, overwrite=overwrite)
    if unlocked.is_clean:
        return unlocked
    with locked(root, notify=notify):
        planned = compare(root, files, overwrite=overwrite)
        if not planned.is_clean:
            write(planned)
    return planned
