"""Why something ended: what the cluster lacks, what could not be found out, what was not tested, what stops us.

Outcomes follow from the class that was raised, wherever it was raised, and never from pytest's phase.
"""

from __future__ import annotations

from enum import StrEnum

from op_readiness.model.findings import Finding


class OpReadinessError(Exception):
    """Stops the harness itself. Printed as one line, without a traceback."""

    exit_code = 3


class UsageError(OpReadinessError):
    """What was typed cannot be used; the message names it, what was expected and the nearest name."""

    exit_code = 2


class AbilityNotMet(AssertionError):
    """The cluster answered, and the answer is no: outcome *failed*. Reports print the findings as they stand."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class CouldNotTell(Exception):
    """The question could not be put to the cluster, or no answer came: outcome *error*."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class SkipReason(StrEnum):
    """Typed reasons of a skip; the same words in every report."""

    NOT_APPLICABLE = "not applicable"  # the cluster cannot by design
    TOO_FEW_NODES = "too few Nodes"
    MISSING_RIGHT = "missing right"
    MISSING_INPUT = "missing input"
    NOT_OPTED_IN = "not opted in"
    LEFT_OUT = "left out by tag"
    VERSION = "Kubernetes version"
    PROVIDER = "provider"
    BY_SPEC = "skipped by e2e.test"  # every spec that matched skipped itself


class NotApplicable(Exception):
    """The cluster cannot by design, with the source that says so: outcome *skipped*."""

    def __init__(self, why: str, *, source: str) -> None:
        super().__init__(f"{why} ({source})")
        self.why, self.source, self.reason = why, source, SkipReason.NOT_APPLICABLE


class NotTested(Exception):
    """Nothing was found out, and that was known before: outcome *skipped*."""

    def __init__(self, why: str, *, reason: SkipReason) -> None:
        super().__init__(why)
        self.why, self.reason = why, reason
