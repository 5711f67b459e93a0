"""Policy: rules about what is rendered; a mesh chooses their severity, and suppresses a breach with a reason."""

from meshgen.policy.registry import policy_remarks
from meshgen.policy.subject import Subject, subject_of

__all__ = ["Subject", "policy_remarks", "subject_of"]
