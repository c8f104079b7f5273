"""The contract of Kubernetes' conformance image, so that Hydrophone runs ours unchanged.

`hydrophone --conformance-image OURS --focus REGEX` starts the entry point without arguments and says in variables what
to run. It follows /tmp/results/e2e.log, finds `Will run N of M specs` in it and counts `•`, and takes e2e.log and
junit_01.xml from there; our exit code becomes its own. A specification here is an ability, by the name it has in JUnit.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from op_readiness.model.abilities import Ability
from op_readiness.model.errors import UsageError
from op_readiness.model.results import RunResult
from op_readiness.runner.record import Event, Record
from op_readiness.runner.sonobuoy.handover import Handover

FOCUS, RESULTS, LOG = "E2E_FOCUS", "/tmp/results", "e2e.log"
DOT = "•"
QUIET = 4
"""Hydrophone's default of E2E_VERBOSITY."""


class Conformance(Handover):
    """Chooses abilities by E2E_FOCUS and E2E_SKIP, and shows the log as e2e.test does."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Path(environ.get("RESULTS_DIR") or RESULTS))
        self._environ = environ
        self._known = 0
        self._ended: set[str] = set()
        self._tees: list[Tee] = []

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            log = (self.folder / LOG).open("w", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            sys.stderr.write(f"warning: there will be no {self.folder / LOG}: {error.strerror or error}\n")
            return self
        self._tees = [Tee(sys.stdout, log), Tee(sys.stderr, log)]
        sys.stdout, sys.stderr = self._tees
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._tees:
            sys.stdout, sys.stderr = self._tees[0].shown, self._tees[1].shown
            self._tees[0].log.close()
        super().__exit__(kind, error, tb)

    def words(self, words: Sequence[str]) -> list[str]:
        """The command that the variables ask for. Raises UsageError for what is not supported."""
        from op_readiness.runner.listing import catalogue_of

        abilities = [a for category in catalogue_of() for a in category.abilities if not a.planned]
        self._known = len(abilities)
        chosen = [ability.id for ability in focused(abilities, self._environ)]
        return ["run", "--ability", ",".join(chosen), *options(self._environ, self.folder)]

    # -- as a listener ---------------------------------------------------------------------------------------------

    def event(self, event: Event, record: Record) -> None:
        """Say how many there will be, and a dot for each that has ended."""
        super().event(event, record)
        kind, id = event["type"], event.get("ability", "")
        if kind == "run":
            count = len(record.abilities) - len(record.header.get("skips", {}))
            sys.stdout.write(f"Will run {count} of {self._known} specs\n")
        elif kind in ("result", "lost") and id not in self._ended:
            self._ended.add(id)
            sys.stdout.write(DOT + "\n")
        sys.stdout.flush()

    def reported(self, run: RunResult, folder: Path, files: Sequence[Path]) -> Sequence[Path]:
        """The log is one of the reports."""
        log = [self.folder / LOG] if self._tees else []
        super().reported(run, folder, [*files, *log])
        return log


class Tee(io.TextIOBase):
    """A stream that is shown, and kept in a log."""

    def __init__(self, shown: TextIO, log: TextIO) -> None:
        self.shown, self.log = shown, log

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of what is shown."""
        return self.shown.encoding

    def write(self, text: str) -> int:
        """Write to both; a character that cannot be shown does not end the run."""
        try:
            self.shown.write(text)
        except UnicodeEncodeError:
            self.shown.write(text.encode("ascii", "backslashreplace").decode())
        self.log.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush both."""
        self.shown.flush()
        if not self.log.closed:
            self.log.flush()

    def isatty(self) -> bool:
        """No live lines in a log."""
        return False

    def fileno(self) -> int:
        """That of what is shown."""
        return self.shown.fileno()


def focused(abilities: Sequence[Ability], environ: Mapping[str, str]) -> list[Ability]:
    """Abilities whose name E2E_FOCUS finds and E2E_SKIP does not. Raises UsageError where that leaves none."""
    focus, skip = (_pattern(environ, name) for name in (FOCUS, "E2E_SKIP"))
    found = [a for a in abilities if (not focus or focus.search(name(a))) and not (skip and skip.search(name(a)))]
    if not found:
        raise UsageError(
            f"{FOCUS}={environ.get(FOCUS, '')!r} E2E_SKIP={environ.get('E2E_SKIP', '')!r} leave none of "
            f"{len(abilities)} abilities; they are searched in names such as {name(abilities[0])!r}"
        )
    return found


def name(ability: Ability) -> str:
    """The ability as JUnit names it."""
    return f"[{ability.category}] {ability.description} ({ability.id})"


def _pattern(environ: Mapping[str, str], variable: str) -> re.Pattern[str] | None:
    text = environ.get(variable, "")
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(f"{variable}={text!r} is no regular expression: {error}") from error


def options(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Options that follow from the other variables; our own variables and E2E_EXTRA_ARGS may say more."""
    if "OP_READINESS_REPORT_DIR" not in environ:
        yield from ("--report-dir", str(folder))
    if environ.get("E2E_PROVIDER") and "OP_READINESS_PROVIDER" not in environ:
        yield from ("--provider", environ["E2E_PROVIDER"])
    if environ.get("E2E_DRYRUN", "").lower() in ("true", "1"):
        yield "--dry-run"
    verbosity = environ.get("E2E_VERBOSITY", "")
    if verbosity.isdecimal() and int(verbosity) > QUIET:
        yield "--verbose"
    yield from _images(environ)
    yield from _ginkgo(environ.get("E2E_EXTRA_GINKGO_ARGS", ""))
    yield from shlex.split(environ.get("E2E_EXTRA_ARGS", ""))


def _images(environ: Mapping[str, str]) -> Iterator[str]:
    """The registry that a list file gives for Kubernetes' test images; one that cannot be read is fatal."""
    if environ.get("KUBE_TEST_REPO"):
        raise UsageError("KUBE_TEST_REPO renames images and is not supported: give KUBE_TEST_REPO_LIST instead")
    if not (path := environ.get("KUBE_TEST_REPO_LIST", "")):
        return
    import yaml

    try:
        found: Any = yaml.safe_load(Path(path).read_text("utf-8")) or {}
        registry = found.get("promoterE2eRegistry")
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        why = " ".join(str(getattr(error, "strerror", "") or error).split())
        raise UsageError(f"KUBE_TEST_REPO_LIST={path}: {why}; give the path of a YAML map of registries") from error
    if registry:
        yield from ("--image-registry", str(registry))


def _ginkgo(text: str) -> Iterator[str]:
    for word in shlex.split(text):
        flag, _, value = word.lstrip("-").partition("=")
        if flag == "procs" and value.isdecimal():
            yield from ("--workers", value)
        elif flag in ("v", "vv"):
            yield "--verbose"
        else:
            raise UsageError(f"E2E_EXTRA_GINKGO_ARGS: {word} is ginkgo's; --procs=N and -v are understood")
