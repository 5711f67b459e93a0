"""The whole story of a commit: a config in, one commit of the tree and of what it was rendered from out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath

from meshgen.commit.checkout import check_checked_out, check_links, check_looked_at
from meshgen.commit.make import HOOKS, make_commit, unstage
from meshgen.commit.message import message_of
from meshgen.commit.outcome import Asked, Committed, NotFinished
from meshgen.commit.publish import goal_of, publish
from meshgen.commit.ready import Listing, check_unchanged, listed, ready, sources_of, staged_files
from meshgen.commit.scope import Scope, display, few, owned_at, rendered_paths, scope_of
from meshgen.commit.start import Start, start_of
from meshgen.commit.state import has_hook, head, message_at, superproject
from meshgen.commit.worktree import Entry, WorkTree, apart
from meshgen.diff.change import Difference
from meshgen.diff.story import diff
from meshgen.errors import InputError
from meshgen.git import Refused
from meshgen.hydrate import Per, plain_objects, tree_files
from meshgen.imagemoves import findings_of, image_moves
from meshgen.render import render
from meshgen.tree.plan import plan
from meshgen.tree.update import compare, update


def commit(
    asked: Asked, hydrate: Per | None = None, *, today: date | None = None, notify: Callable[[str], None] | None = None
) -> Committed:
    """Render, check, write the tree, commit it with what it was rendered from, and push where that is asked for.

    `hydrate` says how plain objects come to stand in the tree, if they are to.

    Raises InputError for problems of the config and files in the way, Refused and EnvironmentFailure for what the
    repository does not allow, NotFinished where the commit is made and is
    not what was rendered, or could not be pushed.
    """
    scope = scope_of(asked.config, asked.output)
    read = sources_of(scope)
    base = head(scope.repository.root)
    before = owned_at(scope, base)
    _check_sources(replace(scope, rendered=rendered_paths(scope.tree, before)), base)
    rendering = render(asked.config, today)
    files = tree_files(rendering, plain_objects(rendering.built, hydrate) if hydrate else None)
    planned = compare(asked.output, files, overwrite=asked.overwrite)
    scope = replace(scope, rendered=rendered_paths(scope.tree, files, planned.owned, before))
    start = start_of(scope, asked.branch)
    goal = goal_of(asked, start)
    difference, notes = _difference(asked) if before else (None, ())
    clusters = [one.name for one in rendering.clusters]
    moves = image_moves(rendering, planned)
    message = message_of(scope.mesh, difference, given=asked.message, clusters=clusters, moves=tuple(moves))
    with _work_tree(scope, asked, start) as tree:
        _write(tree, scope, asked, files, notify)
        entries, more = _entries(tree, scope, start)
        wanted = ready(tree, start.base, [entry.path for entry in entries])
        check_unchanged(scope, asked, tree, start.base, files, read)
        notes = (*notes, *more, *_notes(scope))
        request = goal.request if goal else None
        findings = (*rendering.findings, *findings_of(moves, asked.output))
        done = Committed(start.branch, message, entries, findings, notes, request=request)
        done = _committed(done, tree, start, wanted, dry_run=asked.dry_run)
        if done.commit:
            done = _looked_at(done, tree, scope, files, wanted)
    return publish(goal, done, start.root) if goal and not asked.dry_run else done


def _check_sources(scope: Scope, base: str | None) -> None:
    """Refuse to render where Git does not have or does not see the sources and the tree as the disk has them."""
    own = WorkTree(scope.repository.root)
    check_checked_out(own.root, scope.places, scope.holds)
    check_links(own, scope.places, scope.holds)
    check_looked_at(own, base, scope.places, scope.is_source, "nothing was written")


def _committed(done: Committed, tree: WorkTree, start: Start, wanted: Listing, *, dry_run: bool) -> Committed:
    """Make the commit, unless all of it is committed."""
    root = start.root
    if start.there is not None:
        if listed(root, start.there) != wanted:
            raise start.taken()
        # The request to merge it says what its commit says.
        done = replace(done, message=message_at(root, start.there))
        return _nothing(done, f"branch {start.branch} has this commit already: {start.there[:12]}")
    if not done.entries:
        return _nothing(done)
    if wanted == listed(root, start.base):
        return _nothing(done, *_unstaged(tree, done))
    if dry_run:
        return done
    made = make_commit(tree, start, done.entries, done.message)
    if made is None:
        return _nothing(done, "another commit came in between, and it has all that this one would have")
    done = replace(done, commit=made.commit)
    if made.problem:
        raise NotFinished(made.problem, done)
    return done


def _unstaged(tree: WorkTree, done: Committed) -> Iterator[str]:
    """Where only the index differs, the next commit of anybody's would undo what was rendered."""
    paths = sorted({one.path for one in done.entries})
    if not tree.is_apart:
        unstage(tree, paths)
        yield f"{few(paths)}: unstaged, for what was staged is not what is rendered and committed"


def _nothing(done: Committed, *notes: str) -> Committed:
    """There is nothing to commit, for reasons worth a note."""
    return replace(done, entries=(), notes=(*done.notes, *notes))


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


def _entries(tree: WorkTree, scope: Scope, start: Start) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The paths of the commit, and what there is to say of those that it can't have."""
    found = tree.status(scope.places)
    ignored = {entry.path for entry in found if entry.is_ignored}
    left_out = [path for path in sorted(scope.rendered) if not ignored.isdisjoint((path, *path.parents))]
    if there := [path for path in left_out if (tree.root / path).exists()]:
        hint = f"`git check-ignore -v {display(there[0])}` names the line of .gitignore"
        raise Refused(
            f"{few(there)}: Git ignores it, so the commit would have half a tree; nothing was committed", hint
        )
    check_looked_at(tree, start.base, scope.places, scope.holds, "nothing was committed")
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


def _looked_at(done: Committed, tree: WorkTree, scope: Scope, files: Mapping[str, bytes], wanted: Listing) -> Committed:
    """The commit, with notes of what a hook did besides. Raises NotFinished where it is not what was rendered."""
    found, commit = listed(tree.root, done.commit), (done.commit or "")[:12]
    other = sorted(path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path))
    if not tree.is_apart:
        # Git has a hook's own additions in the commit alone: the next one would take them back.
        index = staged_files(tree.root)
        unstage(tree, [PurePosixPath(path) for path in other if index.get(path) == wanted.get(path)])
    hint = (
        f"exclude {scope.tree}/ from your hooks; then `meshgen commit --overwrite` commits the tree as it is rendered"
    )
    if rendered := [path for path in other if PurePosixPath(path) in scope.rendered]:
        if tree.is_apart:
            hint = f"exclude {scope.tree}/ from your hooks, `git branch -D {done.branch}`, and run it again"
        what = f"commit {commit} is made, and a hook or somebody else changed it"
        raise NotFinished(Refused(f"{what}: it has not what was rendered in {_named(rendered)}", hint), done)
    if sources := [path for path in other if scope.is_source(PurePosixPath(path))]:
        if not has_hook(tree.root, tree.options, HOOKS):
            what = (
                f"{display(sources[0])} has changed while it was committed: commit {commit} may lack what it asks for"
            )
            raise NotFinished(Refused(what, "run it again: it commits the tree that belongs to it"), done)
        note = f"a hook changed {display(sources[0])}: `meshgen render --check` tells whether that changes the tree"
        done = replace(done, notes=(*done.notes, note))
    if own := [path for path in other if not scope.holds(PurePosixPath(path))]:
        done = replace(done, notes=(*done.notes, f"a hook or somebody else has more in the commit: {_named(own)}"))
    if not tree.is_apart and (edited := _edited(tree.root / scope.tree, files)):
        what = f"a hook or somebody else changed the tree, which the commit has as rendered: {_named(edited)}"
        done = replace(done, notes=(*done.notes, f"{what}; {hint}"))
    return done


def _edited(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """The files of the tree that are not as they were rendered."""
    planned = plan(folder, files)
    there = [str(Path(one.file or "").relative_to(folder)) for one in planned.conflicts]
    return sorted({*planned.create, *planned.change, *planned.delete, *there})


def _named(paths: Sequence[str]) -> str:
    return f"{len(paths)} file(s), {', '.join(map(display, paths[:3]))}{', …' if len(paths) > 3 else ''}"
