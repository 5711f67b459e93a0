"""What a repository is in the middle of, and whether a commit can be made in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from meshgen.errors import EnvironmentFailure
from meshgen.git import Refused, output_of, reason, run

# Files of Git's that say what goes on, and how it is ended.
_UNDER_WAY = {
    "MERGE_HEAD": ("a merge", "end it with `git commit`, or `git merge --abort`"),
    "rebase-merge": ("a rebase", "end it with `git rebase --continue`, or --abort"),
    "rebase-apply": ("a rebase or `git am`", "end it with `git rebase --continue`, or --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "end it with `git cherry-pick --continue`, or --abort"),
    "REVERT_HEAD": ("a revert", "end it with `git revert --continue`, or --abort"),
    "BISECT_LOG": ("a bisection", "end it with `git bisect reset`"),
}


def current_branch(root: Path) -> str | None:
    """The branch that HEAD names, whether it has a commit yet or not; None where HEAD is detached."""
    done = run(root, "symbolic-ref", "--quiet", "HEAD")
    return None if done.returncode else done.stdout.decode().strip().removeprefix("refs/heads/")


def head(root: Path) -> str | None:
    """The commit that HEAD stands on; None before the first one."""
    done = run(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return None if done.returncode else done.stdout.decode().strip()


def tip(root: Path, branch: str) -> str | None:
    """The commit that a branch stands on; None where there is no such branch."""
    done = run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{branch}^{{commit}}")
    return None if done.returncode else done.stdout.decode().strip()


def parents(root: Path, commit: str) -> list[str]:
    """The commits that a commit stands on."""
    return output_of(root, "rev-parse", f"{commit}^@").decode().split()


def message_at(root: Path, commit: str) -> str:
    """The message of a commit."""
    done = output_of(root, "show", "--no-patch", "--no-show-signature", "--format=%B", commit)
    return done.decode(errors="replace").strip("\n") + "\n"


def has_hook(root: Path, options: Sequence[str], names: Sequence[str]) -> bool:
    """Whether one of some hooks would run; `options` go before the command of Git's that runs them."""
    done = output_of(root, *options, "rev-parse", "--git-path", "hooks").decode(errors="surrogateescape")
    folder = root / done.removesuffix("\n")
    return any(os.access(folder / name, os.X_OK) for name in names)


def check_branch_name(root: Path, branch: str) -> None:
    """Refuse what Git would not call a branch, and a name that those of other branches leave no room for."""
    bad = branch.startswith("-") or "\0" in branch or branch == "HEAD"
    if bad or run(root, "check-ref-format", f"refs/heads/{branch}").returncode:
        raise Refused(f'"{branch}" is no name of a branch', "take letters, digits, -, . and /, such as mesh/upgrade")
    if others := _in_the_way(root, branch):
        hint = f"take another name, or rename the other one: git branch -m {others[0]} NAME"
        raise Refused(f"branch {branch} can't be beside branch {others[0]}; nothing was written", hint)


def _in_the_way(root: Path, branch: str) -> list[str]:
    """Branches whose names are the beginning of a name, or begin with it: one can't be a folder and a file."""
    parts = branch.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts))}
    names = output_of(root, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").decode(errors="replace")
    # The first commit of the branch that one is on has still to come.
    there = [*names.splitlines(), *filter(None, [current_branch(root)])]
    return [name for name in there if name in above or name.startswith(f"{branch}/")]


def checked_out(root: Path) -> dict[str, str]:
    """The work tree of each branch that is checked out in one, by the branch."""
    found: dict[str, str] = {}
    place = ""
    for line in output_of(root, "worktree", "list", "--porcelain").decode(errors="surrogateescape").splitlines():
        word, _, value = line.partition(" ")
        if word == "worktree":
            place = value
        elif word == "branch":
            found[value.removeprefix("refs/heads/")] = place
    return found


def check_idle(root: Path) -> None:
    """Refuse to commit into something that is under way, or beside another Git that holds the index."""
    paths = _git_paths(root, "index.lock", *_UNDER_WAY)
    if paths["index.lock"].exists():
        hint = f"wait until it ends; where none runs, a crash left the file: remove {paths['index.lock']}"
        raise EnvironmentFailure(f"{root}: another Git holds index.lock; nothing was written", hint)
    for name, (what, hint) in _UNDER_WAY.items():
        if paths[name].exists():
            raise Refused(f"{root}: {what} is in progress; nothing was written", hint)


def check_identity(root: Path) -> None:
    """Refuse where Git does not know who commits."""
    for role in ("AUTHOR", "COMMITTER"):
        done = run(root, "var", f"GIT_{role}_IDENT")
        if done.returncode:
            hint = "git config --global user.name NAME, and user.email ADDRESS"
            raise EnvironmentFailure("Git does not know who you are; nothing was written", hint)


def signs(root: Path) -> bool:
    """Whether the user wants commits to be signed."""
    return run(root, "config", "--type=bool", "--get", "commit.gpgSign").stdout.strip() == b"true"


def staged(root: Path) -> list[PurePosixPath]:
    """What the index has otherwise than HEAD, from the root."""
    arguments = ("diff", "--cached", "--name-only", "-z", "--no-renames", "--no-ext-diff")
    names = output_of(root, *arguments).decode(errors="surrogateescape").split("\0")
    return [PurePosixPath(name) for name in names if name]


def unmerged(root: Path) -> list[PurePosixPath]:
    """Files of which a merge left several sides."""
    lines = output_of(root, "ls-files", "--unmerged", "-z").decode(errors="surrogateescape").split("\0")
    return list(dict.fromkeys(PurePosixPath(line.partition("\t")[2]) for line in lines if line))


def git_folder(root: Path) -> Path:
    """The folder of the repository that all of its work trees share."""
    return _path(root, "--git-common-dir")


def superproject(root: Path) -> Path | None:
    """The work tree that this one is a submodule of."""
    done = output_of(root, "rev-parse", "--show-superproject-working-tree").decode(errors="surrogateescape").strip("\n")
    return Path(done) if done else None


def root_of(folder: Path) -> Path | None:
    """The root of the work tree that a folder, or the nearest one above that is there, lies in."""
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    done = run(there, "rev-parse", "--show-toplevel")
    return None if done.returncode else Path(done.stdout.decode(errors="surrogateescape").removesuffix("\n"))


def _path(root: Path, option: str) -> Path:
    done = run(root, "rev-parse", "--path-format=absolute", option)
    if done.returncode:
        raise EnvironmentFailure(f"{root}: {reason(done.stderr)}", "Git 2.31 or newer is needed")
    return Path(done.stdout.decode(errors="surrogateescape").removesuffix("\n"))


def _git_paths(root: Path, *names: str) -> dict[str, Path]:
    options = [word for name in names for word in ("--git-path", name)]
    done = output_of(root, "rev-parse", *options).decode(errors="surrogateescape")
    return {name: root / line for name, line in zip(names, done.splitlines(), strict=True)}
