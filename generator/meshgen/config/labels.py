"""Labels that clusters are asked for: whether any cluster has them, and what may have been meant where none has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from meshgen.config.problems import guess, plain

Labels = Mapping[str, str]


def unlabelled(asked: Labels, clusters: Collection[Labels]) -> tuple[str, str] | None:
    """What no cluster has of these labels, and a hint; None where one has them all."""
    if any(asked.items() <= own.items() for own in clusters):
        return None
    for key, value in asked.items():
        values = {own[key] for own in clusters if key in own}
        if not values:
            keys = {key for own in clusters for key in own}
            return f"a label {plain(key)}", _meant(key, keys)
        if value not in values:
            return f"the label {plain(key)}={plain(value)}", _meant(value, values)
    together = " and ".join(f"{plain(key)}={plain(value)}" for key, value in asked.items())
    return f"{together} together", _LIST


_LIST = "`meshgen fleet` lists the labels of each cluster, which stand in its entry of an overlay"


def _meant(word: str, known: Iterable[str]) -> str:
    return guess(word, sorted(map(plain, known))) or _LIST
