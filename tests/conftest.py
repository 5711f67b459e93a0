"""Fixtures that every stage's tests share."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.tools import PROJECT, tool


def pytest_configure() -> None:
    """A shell that runs the tests in its background has them ignore an interrupt, and so all that they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes begins first, so that no worker is left with it alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """The real kubectl, whose `kustomize` builds what meshgen writes."""
    return tool("kubectl")


@pytest.fixture(scope="session")
def helm() -> Path:
    return tool("helm")


@pytest.fixture(scope="session")
def cases() -> Path:
    """Real cases from public projects, read in place (marker `upstream`)."""
    path = PROJECT.parent / "shared" / "cases"
    assert path.is_dir(), f"{path} is missing: tests marked upstream need it"
    return path


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout's root, which holds the example."""
    return PROJECT
