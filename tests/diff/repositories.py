"""What tests of comparisons share: real Git repositories with configs, and differences in few words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from meshgen.cli.diff import command
from meshgen.diff.change import Change, Difference, Group
from meshgen.diff.compare import Comparer, Key, Placed
from meshgen.diff.group import grouped
from tests.objects import Object, mesh, overlay, write_config

PERSON = {
    "GIT_AUTHOR_NAME": "A Reader",
    "GIT_AUTHOR_EMAIL": "reader@example.com",
    "GIT_COMMITTER_NAME": "A Reader",
    "GIT_COMMITTER_EMAIL": "reader@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **PERSON}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path, tag: str | None = None) -> str:
    """Commit all that a folder holds, in a repository that is made if need be."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    if tag:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


def fleet(folder: Path, *, clusters: int = 2, **keys: Any) -> Path:
    """A mesh with environments dev and prod, and as many clusters in each."""
    overlays = [overlay(name, clusters={f"{name}-{n}": {} for n in range(clusters)}) for name in ("dev", "prod")]
    return write_config(folder, mesh(**keys), *overlays)


def run(*arguments: str | Path) -> Result:
    """The command as it is called, stdout and stderr apart."""
    return CliRunner().invoke(command, [str(one) for one in arguments], standalone_mode=False)


def one(difference: Difference, kind: str, name: str) -> Group:
    """The only change of an object."""
    (group,) = (group for group in difference.groups if (group.change.key.kind, group.change.key.name) == (kind, name))
    return group


def changed(
    old: Object | None,
    new: Object | None,
    *,
    stages: tuple[str, str] = ("addons", "addons"),
    among: Sequence[Object] = (),
) -> Change:
    """What becomes of one object, among others that stay."""
    others = {_key(obj): Placed("istio", obj) for obj in among}
    before = {**others, **({_key(old): Placed(stages[0], old)} if old else {})}
    after = {**others, **({_key(new): Placed(stages[1], new)} if new else {})}
    (change,) = Comparer()._compared(before, after)
    return change


def _key(obj: Object) -> Key:
    group, slash, _ = obj["apiVersion"].partition("/")
    metadata = obj["metadata"]
    return Key("", group if slash else "", obj["kind"], metadata.get("namespace") or "", metadata["name"])


def group_of(change: Change, clusters: int = 1) -> Group:
    names = {f"c{number}": (change,) for number in range(clusters)}
    (group,) = grouped(names, {"all": tuple(names)})
    return group


def difference(*groups: Group, total: int = 1) -> Difference:
    return Difference("A", "B", total, (), groups)
