"""Jobs and CronJobs.

Source: k8s.io/kubernetes pkg/apis/batch/validation.
"""

from __future__ import annotations

import re

from meshgen.check.refused.cron import schedule_fault
from meshgen.check.refused.pods import template_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given
from meshgen.check.refused.selectors import own_selector_refusals
from meshgen.policy.reading import Map, mapping, placed, text

Minor = tuple[int, int]
_NUMBERS = (
    *("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit"),
    *("ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"),
)
_OF_INDEXED = ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy")
_CRON_NUMBERS = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
_ZONE_PART = re.compile(r"[A-Za-z0-9._+-]{1,14}")
# Until then a schedule could begin with its zone.
_ZONE_APART = (1, 29)
# From some release of it on, a CronJob's condition of a pod has the default that a Job's always had.
_CONDITIONS_FILLED = (1, 30)
_CAUSES = ("onExitCodes", "onPodConditions")


def job(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a Job."""
    spec, at = mapping(obj, "spec"), ("spec",)
    # Where neither is said, both are one.
    counted = spec if given(spec, "completions", "parallelism") else {**spec, "completions": 1}
    yield from _job(counted, at, minor)
    if spec.get("manualSelector") is True:
        yield from own_selector_refusals(spec, at, mapping(spec, "template"))
    elif spec.get("selector") is not None:
        hint = "take it out, or say manualSelector: true beside it"
        yield Refusal((*at, "selector"), "a Job makes its selector itself", hint, at_key=True)


def cron_job(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a CronJob."""
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from bounded(spec, at, _CRON_NUMBERS)
    yield from _schedule(spec, at, minor)
    inner, here = mapping(spec, "jobTemplate", "spec"), (*at, "jobTemplate", "spec")
    yield from _job(inner, here, minor)
    yield from _unfilled(inner, here, minor)
    for key in given(inner, "selector"):
        yield Refusal((*here, key), "a Job makes its selector itself", "take it out", at_key=True)
    if inner.get("manualSelector") is True:
        yield Refusal((*here, "manualSelector"), "the Jobs of a CronJob make their selectors", "take it out", True)


def _unfilled(spec: Map, at: Path, minor: Minor) -> Refusals:
    """What has a default in a Job alone, or in a CronJob of newer servers only."""
    for index, rule in placed(spec, "podFailurePolicy", "rules") if minor < _CONDITIONS_FILLED else ():
        for number, condition in placed(rule, "onPodConditions"):
            if not condition.get("status"):
                where = (*at, "podFailurePolicy", "rules", index, "onPodConditions", number)
                yield Refusal(where, "it says no status, which has no default in a CronJob", 'add status: "True"')


def _schedule(spec: Map, at: Path, minor: Minor) -> Refusals:
    schedule, where = text(spec, "schedule"), (*at, "schedule")
    zoned = schedule.startswith(("TZ=", "CRON_TZ="))
    if zoned and minor >= _ZONE_APART:
        yield Refusal(where, "a schedule names no time zone", "say it as timeZone")
    elif not zoned and (fault := schedule_fault(schedule)):
        yield Refusal(where, fault, 'write minute, hour, day, month and day of the week, as "30 4 * * *"')
    zone = spec.get("timeZone")
    if isinstance(zone, str):
        parts = zone.split("/")
        is_path = any(part in (".", "..") or part[:1] == "-" or not _ZONE_PART.fullmatch(part) for part in parts)
        if is_path or zone.lower() == "local":
            yield Refusal((*at, "timeZone"), "it is no name of a time zone", "say one such as Europe/Berlin")


def _job(spec: Map, at: Path, minor: Minor) -> Refusals:
    yield from bounded(spec, at, _NUMBERS)
    template, here = mapping(spec, "template"), (*at, "template")
    yield from template_refusals(template, here, minor)
    policy = text(template, "spec", "restartPolicy")
    if policy in ("", "Always"):
        where = (*here, "spec", "restartPolicy") if policy else (*here, "spec")
        what = "the pods of a Job end" if policy else "the pods of a Job end: Always, which is meant, is not taken"
        yield Refusal(where, what, "say restartPolicy: OnFailure or Never", at_key=not policy)
    elif policy == "OnFailure" and spec.get("podFailurePolicy") is not None:
        yield Refusal((*here, "spec", "restartPolicy"), "podFailurePolicy goes with Never alone", "say Never")
    for index, rule in placed(spec, "podFailurePolicy", "rules"):
        causes = [cause for cause in _CAUSES if rule.get(cause) not in (None, [])]
        if len(causes) != 1:
            what = "it has onExitCodes and onPodConditions" if causes else "it says nothing of when it applies"
            yield Refusal((*at, "podFailurePolicy", "rules", index), what, f"say one of {', '.join(_CAUSES)}")
    if text(spec, "completionMode") == "Indexed":
        if spec.get("completions") is None:
            yield Refusal((*at, "completionMode"), "an indexed Job says how many it is", "add completions")
        return
    for key in given(spec, *_OF_INDEXED):
        yield Refusal((*at, key), "only an indexed Job has it", "say completionMode: Indexed, or take it out", True)
