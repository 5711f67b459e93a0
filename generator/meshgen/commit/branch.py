"""A branch that holds given files and nothing else, written by Git's plumbing: no work tree and no index is touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from meshgen.commit.ready import ALONE, listed
from meshgen.commit.state import check_branch_name, check_identity, checked_out, head, message_at, signs, tip
from meshgen.errors import EnvironmentFailure
from meshgen.git import Refused, Repository, expect, output_of, reason, run, run_as_user
from meshgen.redaction import redacted

_MARK = "Meshgen-Hydrated"
_FILE = "100644"


@dataclass(frozen=True)
class BranchPlan:
    """What becomes of a branch, each path sorted; `tip` is the commit that it stands on, None where it is new."""

    repository: Repository
    branch: str
    mesh: str
    tip: str | None
    create: tuple[str, ...]
    change: tuple[str, ...]
    unchanged: tuple[str, ...]
    delete: tuple[str, ...]
    files: Mapping[str, bytes] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)

    @property
    def is_clean(self) -> bool:
        """Whether the branch holds these files already."""
        return self.tip is not None and not (self.create or self.change or self.delete)


def plan_branch(
    repository: Repository, branch: str, files: Mapping[str, bytes], *, mesh: str, overwrite: bool = False
) -> BranchPlan:
    """Compare a branch with the files that it should hold.

    Raises Refused for a branch that is checked out, and for one whose newest commit is not meshgen's: `overwrite`
    insists on the second.
    """
    root = repository.root
    check_branch_name(root, branch)
    if place := checked_out(root).get(branch):
        raise Refused(f"branch {branch} is checked out in {place}", "name a branch that only meshgen writes")
    at = tip(root, branch)
    digests = _digests(root, files)
    there = listed(root, at)
    wanted = {path: (_FILE, digest) for path, digest in digests.items()}
    plan = BranchPlan(
        repository=repository,
        branch=branch,
        mesh=mesh,
        tip=at,
        create=tuple(sorted(wanted.keys() - there.keys())),
        change=tuple(sorted(path for path in wanted.keys() & there.keys() if wanted[path] != there[path])),
        unchanged=tuple(sorted(path for path in wanted.keys() & there.keys() if wanted[path] == there[path])),
        delete=tuple(sorted(there.keys() - wanted.keys())),
        files=files,
        digests=digests,
    )
    if at and not plan.is_clean and not overwrite and not _is_ours(root, at, mesh):
        hint = "name another branch; --overwrite makes a commit on top that holds the objects alone"
        raise Refused(f"branch {branch}: its newest commit {at[:12]} is not meshgen's, for mesh {mesh}", hint)
    return plan


def write_branch(plan: BranchPlan) -> str:
    """Make the commit, on top of the branch's; give its digest. A branch that has moved meanwhile is left alone."""
    root = plan.repository.root
    check_identity(root)
    _store(root, [plan.files[path] for path in (*plan.create, *plan.change)])
    tree = _tree(root, plan.digests)
    commit = _commit(plan, tree)
    expected = plan.tip or "0" * len(commit)
    move = ("update-ref", "-m", "meshgen render --branch", f"refs/heads/{plan.branch}", commit, expected)
    done = run_as_user(root, *move)
    if done.returncode:
        hint = "another commit came in between, or a hook of yours refuses it: look at that, and run it again"
        raise EnvironmentFailure(f"branch {plan.branch} was left as it is: {redacted(reason(done.stderr))}", hint)
    return commit


def _digests(root: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """The names that Git gives these contents: known before anything is stored."""
    algorithm = output_of(root, "rev-parse", "--show-object-format").decode().strip()
    return {
        path: hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        for path, content in files.items()
    }


def _is_ours(root: Path, commit: str, mesh: str) -> bool:
    return f"{_MARK}: {mesh}" in message_at(root, commit).splitlines()


def _store(root: Path, contents: list[bytes]) -> None:
    """Store contents, thousands by one process; what the repository has is not stored again."""
    stream = b"".join(b"blob\ndata %d\n%b\n" % (len(content), content) for content in contents)
    # It ends by moving no ref, which a hook would hear of all the same.
    done = run(root, "-c", f"core.hooksPath={os.devnull}", "fast-import", "--quiet", "--done", given=stream + b"done\n")
    expect(done, "fast-import")


def _tree(root: Path, digests: Mapping[str, str]) -> str:
    lines = b"".join(f"{_FILE} {digest}\t{path}\0".encode() for path, digest in sorted(digests.items()))
    with TemporaryDirectory(prefix="meshgen-branch-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        expect(run(root, *ALONE, "update-index", "-z", "--index-info", given=lines, variables=index), "update-index")
        return expect(run(root, *ALONE, "write-tree", variables=index), "write-tree").decode().strip()


def _commit(plan: BranchPlan, tree: str) -> str:
    root = plan.repository.root
    parent = ("-p", plan.tip) if plan.tip else ()
    # Plumbing signs where it is told to.
    sign = ("-S",) if signs(root) else ()
    arguments = ("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign, *parent, "-F", "-", tree)
    done = run_as_user(root, *arguments, given=_message(plan).encode())
    if done.returncode and sign:
        hint = "`git commit -S` shows why; commit.gpgSign asks for it"
        raise EnvironmentFailure(f"the commit cannot be signed: {redacted(reason(done.stderr))}", hint)
    return expect(done, "commit-tree").decode().strip()


def _message(plan: BranchPlan) -> str:
    counts = [(plan.create, "added"), (plan.change, "changed"), (plan.delete, "deleted")]
    said = ", ".join(f"{len(paths)} {verb}" for paths, verb in counts if paths)
    source = head(plan.repository.root)
    lines = [f"Hydrate {plan.mesh}", "", f"Files: {said or 'none'}.", "", f"{_MARK}: {plan.mesh}"]
    return "\n".join([*lines, *([f"Work-Tree-At: {source}"] if source else [])]) + "\n"
