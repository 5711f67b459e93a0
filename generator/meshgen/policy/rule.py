"""The words of the policy: a rule, a breach of it, and the remark that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meshgen.build.stage import KubernetesObject, Remark
from meshgen.config.document import Document
from meshgen.config.problems import plain
from meshgen.finding import Severity
from meshgen.policy.subject import Subject, space_of
from meshgen.yaml import NOWHERE, at_pointer, pointer


@dataclass(frozen=True)
class Breach:
    """What a rule has against a subject: where in the settings, what, the next move, and the object if it is about one.

    With a `document`, a manifest of the user's own, `pointer` leads into that instead. `namespace` is the object's. A
    `severity` takes the place of the rule's. The message never holds a value that may be a secret.
    """

    pointer: str
    message: str
    hint: str
    object: str | None = None
    document: Document | None = None
    namespace: str | None = None
    severity: Severity | None = None

    def remark(self, rule: str, severity: Severity) -> Remark:
        """The breach as what a rule of that id says."""
        at_key, weight = self.document is None, self.severity or severity
        return Remark(
            rule, self.message, self.pointer, self.hint, weight, at_key, self.document, self.object, self.namespace
        )


@dataclass(frozen=True)
class Rule:
    """One rule of the policy: its id, its severity unless a mesh says otherwise, its title, and what it checks.

    A rule `of_objects` looks at objects that the user wrote or meshgen's addons are made of, and at no more of the
    settings than `Subject.of_objects` keeps: clusters that are equal in these are judged once.
    """

    id: str
    severity: Severity
    title: str
    check: Callable[[Subject], Iterator[Breach]]
    of_objects: bool = False

    def remarks(self, subject: Subject) -> Iterator[Remark]:
        """Every breach of the rule by a subject, as a remark with the rule's own severity."""
        for one in self.check(subject):
            yield one.remark(self.id, self.severity)


def of_object(
    subject: Subject, obj: KubernetesObject, what: str, hint: str, at: tuple[str | int, ...] = ("metadata", "name")
) -> Breach:
    """A breach by one object: where the user wrote it, at the path `at`, else at the setting that brings it."""
    kind, name = plain(obj["kind"]), plain(obj["metadata"]["name"])
    namespace = obj["metadata"].get("namespace")
    where = f" in {plain(namespace)}" if isinstance(namespace, str) else ""
    document = subject.places.of(obj)
    origin = pointer(at) if document else subject.origin(obj)
    return Breach(origin, f"{kind} {name}{where}: {what}", hint, f"{kind}/{name}", document, space_of(obj))


def of_setting(
    subject: Subject,
    path: tuple[str | int, ...],
    what: str,
    hint: str,
    object_: str | None = None,
    namespace: str | None = None,
) -> Breach:
    """A breach by a setting, named by its dotted path; what nobody said is where the version of Istio is said.

    There all clusters that leave it out have one place in common, whatever else they patch.
    """
    named, there = ".".join(str(part) for part in path), path
    while there and at_pointer(subject.settings, pointer(there)) is NOWHERE:
        there = there[:-1]
    where = there if there == path or len(there) > 2 else ("istio", "version")
    return Breach(pointer(where), f"{named}: {what}", hint, object_, namespace=namespace)
