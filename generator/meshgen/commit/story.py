"""The whole story of a commit: a config in, one commit of the tree and of what it was rendered from out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from meshgen.commit.make import make_commit
from meshgen.commit.message import message_of
from meshgen.commit.outcome import Asked, Committed
from meshgen.commit.publish import goal_of, publish
from meshgen.commit.scope import Scope, display, owned_at, rendered_paths, scope_of
from meshgen.commit.start import Start, few, start_of
from meshgen.commit.state import head, superproject
from meshgen.commit.worktree import Entry, WorkTree, apart
from meshgen.diff.change import Difference
from meshgen.diff.story import diff
from meshgen.errors import InputError
from meshgen.git import Refused
from meshgen.hydrate import Per, plain_objects, tree_files
from meshgen.imagemarks import settled
from meshgen.render import render
from meshgen.tree.update import compare, update


def commit(
    asked: Asked, hydrate: Per | None = None, *, today: date | None = None, notify: Callable[[str], None] | None = None
) -> Committed:
    """Render, check, write the tree, commit it with what it was rendered from, and push where that is asked for.

    `hydrate` says how plain objects come to stand in the tree, if they are to.

    Raises InputError for problems of the config and files in the way, Refused and EnvironmentFailure for what the
    repository does not allow, NotFinished where the commit is made and could not be pushed.
    """
    rendering = render(asked.config, today)
    files = tree_files(rendering, plain_objects(rendering.built, hydrate) if hydrate else None)
    planned = compare(asked.output, files, overwrite=asked.overwrite)
    scope = scope_of(asked.config, asked.output)
    before = owned_at(scope, head(scope.repository.root))
    scope = replace(scope, rendered=rendered_paths(scope.tree, files, planned.owned, before))
    start = start_of(scope, asked.branch)
    goal = goal_of(asked, start)
    difference, notes = _difference(asked) if before else (None, ())
    clusters = [one.name for one in rendering.clusters]
    message = message_of(scope.mesh, difference, given=asked.message, clusters=clusters)
    with _work_tree(scope, asked, start) as tree:
        _write(tree, scope, asked, files, notify)
        entries, more = _entries(tree, scope)
        notes = (*notes, *more, *_notes(scope))
        request = goal.request if goal else None
        done = Committed(start.branch, message, entries, rendering.findings, notes, request=request)
        if entries and not asked.dry_run:
            done = replace(done, commit=make_commit(tree, start, entries, message))
            done = replace(done, notes=(*notes, *_changed_by_hooks(tree, scope, files)))
    return publish(goal, done, start.root) if goal and not asked.dry_run else done


def _difference(asked: Asked) -> tuple[Difference | None, tuple[str, ...]]:
    """What changes against the last commit; nothing where its config is refused."""
    try:
        return diff(None, asked.config), ()
    except InputError:
        return None, ("the config of the last commit has errors, so the message can't say what changes",)


@contextmanager
def _work_tree(scope: Scope, asked: Asked, start: Start) -> Iterator[WorkTree]:
    """The user's own work tree; for another branch, and to look what would be done, one apart."""
    if start.is_own and not asked.dry_run:
        yield WorkTree(scope.repository.root)
    else:
        with apart(scope, start.branch, start.base) as made:
            yield made


def _write(
    tree: WorkTree, scope: Scope, asked: Asked, files: dict[str, bytes], notify: Callable[[str], None] | None
) -> None:
    if not tree.is_apart:
        update(asked.output, files, overwrite=asked.overwrite, notify=notify)
        return
    try:
        # What a person edited in the user's own tree was refused before; what is committed is kept by its commit.
        update(tree.root / scope.tree, files, overwrite=True)
    except InputError as error:
        home = f"{tree.root.as_posix()}/"
        raise InputError([replace(one, file=(one.file or "").removeprefix(home)) for one in error.findings]) from None


def _entries(tree: WorkTree, scope: Scope) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The paths of the commit, and what there is to say of those that it can't have."""
    found = tree.status(scope.places)
    ignored = {entry.path for entry in found if entry.is_ignored}
    left_out = [path for path in sorted(scope.rendered) if not ignored.isdisjoint((path, *path.parents))]
    if there := [path for path in left_out if (tree.root / path).exists()]:
        hint = f"`git check-ignore -v {display(there[0])}` names the line of .gitignore"
        raise Refused(
            f"{few(there)}: Git ignores it, so the commit would have half a tree; nothing was committed", hint
        )
    notes = [
        f"{display(path)} is read by the config and ignored by Git: the commit does not have it"
        for path in sorted(ignored)
        if scope.is_source(path)
    ]
    entries = [entry for entry in found if not entry.is_ignored and scope.holds(entry.path)]
    # What a person wrote comes first.
    return tuple(sorted(entries, key=lambda one: one.path in scope.rendered)), tuple(notes)


def _notes(scope: Scope) -> Iterator[str]:
    for path in scope.outside:
        yield f"{path} is read by the config and lies outside of the repository: the commit does not have it"
    if above := superproject(scope.repository.root):
        yield f"{scope.repository.root} is a submodule: {above} has to take its new commit"


def _changed_by_hooks(tree: WorkTree, scope: Scope, files: dict[str, bytes]) -> Iterator[str]:
    """Say that what was committed is not what was rendered, for the next render would refuse it."""
    changed = [path for path, content in files.items() if not _holds(tree.root / scope.tree / path, content)]
    if changed:
        named = ", ".join(changed[:3]) + ", …" * (len(changed) > 3)
        yield f"a hook changed {len(changed)} rendered file(s), which are meshgen's alone to write: {named}"


def _holds(path: Path, content: bytes) -> bool:
    try:
        return settled(path.read_bytes()) == content
    except OSError:
        return False
