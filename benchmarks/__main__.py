"""Measures the budgets and prints a row for each; exits with 1 where one is not kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.measure import Comparison, Side, compare

PROJECT = Path(__file__).resolve().parent.parent
CLUSTERS = 1000
MESHGEN = [sys.executable, "-m", "meshgen"]
IMPORTS = [sys.executable, "-c", "import click, jinja2, jsonschema"]
START = [sys.executable, "-c", "pass"]


@dataclass(frozen=True, slots=True)
class Row:
    """One budget: `ratio` is CPU time against a peer, `memory` MiB."""

    what: str
    peer: str
    ratio: float
    found: Comparison
    memory: float | None = None

    @property
    def kept(self) -> bool:
        """Whether what was found is within the budget."""
        return self.found.ratio <= self.ratio and (self.memory is None or self.found.peak <= self.memory)

    def __str__(self) -> str:
        memory = f", {self.found.peak:.0f} of {self.memory:.0f} MiB" if self.memory else ""
        figures = f"{self.found.a:.3f} s / {self.found.b:.3f} s = {self.found.ratio:.2f} of {self.ratio:g}{memory}"
        return f"{'kept' if self.kept else 'OVER':4}  {self.what:42} {figures}   (against {self.peer})"


def main() -> int:
    """Measure every row, print it, and say whether all budgets are kept."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in chain(small(Path(folder)), fleet(Path(folder))):
            print(row, flush=True)
            rows.append(row)
    return 0 if all(row.kept for row in rows) else 1


def small(folder: Path) -> Iterator[Row]:
    """Starting, and one render of the project's own example."""
    version, click = Side([[*MESHGEN, "--version"]], folder), Side([[sys.executable, "-c", "import click"]], folder)
    yield Row("meshgen --version", "import click", 1.5, compare(version, click, runs=21))
    example = folder / "example"
    example.mkdir()
    shutil.copy(PROJECT / "meshgen.yaml", example)
    shutil.copytree(PROJECT / "overlays", example / "overlays")
    render = Side([[*MESHGEN, "render"]], example, before=lambda: shutil.rmtree(example / "output", ignore_errors=True))
    yield Row("render of the example", "import of the libraries", 3, compare(render, Side([IMPORTS], folder), runs=15))


def fleet(folder: Path) -> Iterator[Row]:
    """A thousand clusters that each patch one value: rendered from nothing, and again with nothing changed."""
    fleet = folder / "fleet"
    (fleet / "overlays").mkdir(parents=True)
    mesh = (PROJECT / "meshgen.yaml").read_text(encoding="utf-8")
    (fleet / "meshgen.yaml").write_text(mesh, encoding="utf-8")
    (fleet / "overlays/fleet.yaml").write_text(_overlay(), encoding="utf-8")
    output, copy = fleet / "output", fleet / "copy"
    cold = Side([[*MESHGEN, "render"]], fleet, before=lambda: shutil.rmtree(output, ignore_errors=True))
    copied = Side(
        [["cp", "-r", "output", "copy"], START], fleet, before=lambda: shutil.rmtree(copy, ignore_errors=True)
    )
    yield Row(f"render of {CLUSTERS} clusters", "cp -r and a start", 20, compare(cold, copied, runs=5), memory=250)
    shutil.rmtree(copy)
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "b"]):
        subprocess.run(["git", *command], cwd=fleet, check=True)
    again = Side([[*MESHGEN, "render"]], fleet)
    status = Side([["git", "status", "--porcelain"], IMPORTS], fleet)
    peer = "git status and import of the libraries"
    yield Row(f"{CLUSTERS} clusters, nothing changed", peer, 3, compare(again, status, runs=15))


def _overlay() -> str:
    head = "apiVersion: meshgen.dev/v1\nkind: Overlay\nmetadata: {name: fleet}\nclusters:\n"
    patch = "patch: {istio: {values: {global: {multiCluster: {clusterName: %s}}}}}"
    return head + "".join(
        f"  c{number}: {{cloud: azure, kubernetesVersion: '1.22', {patch % f'c{number}'}}}\n"
        for number in range(CLUSTERS)
    )


if __name__ == "__main__":
    sys.exit(main())
