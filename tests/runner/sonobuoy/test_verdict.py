"""Verdicts from a tarball: those of the run, and one line for whatever is no honest tarball."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import CategoryResult, Result, RunResult
from op_readiness.reports.json import render_json
from op_readiness.reports.junit import render_junit
from op_readiness.runner.sonobuoy import tarball as tarballs
from op_readiness.runner.sonobuoy.cases import BrokenXml, cases_in
from tests.product import run as run_product

GLOBAL = "plugins/op-readiness/results/global"


def run_of(*outcomes: str, gating: bool = True, interrupted: str = "") -> RunResult:
    found = [Finding("what", "where", "expected", "seen", nodes=("win-1",))]
    results = [
        Result(f"net-{n}", "Core.Network", "d", Outcome(o), gating=gating, findings=[] if o == "passed" else found)
        for n, o in enumerate(outcomes)
    ]
    return RunResult("abc", "2026-01-01T00:00:00", "0.1.0", [CategoryResult("Core.Network", results)],
                     interrupted=interrupted)  # fmt: skip


def files_of(run: RunResult) -> dict[str, bytes]:
    return {f"{GLOBAL}/report.json": render_json(run).encode(), f"{GLOBAL}/junit_01.xml": render_junit(run).encode()}


def packed(path: Path, files: Mapping[str, bytes], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in {"./meta/info.json": b"{}", **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in more:
            archive.addfile(member)
    return path


def judge(path: Path | str, *words: str, stdin: bytes | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `sonobuoy verdict`, in this process."""
    import contextlib

    from op_readiness.cli import code_of

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        if stdin is not None:
            patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = code_of(["sonobuoy", "verdict", str(path), *words])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("run", "words", "code"),
    [
        (run_of("passed"), (), 0),
        (run_of("passed", "failed"), (), 1),
        (run_of("passed", "error"), (), 3),
        (run_of("skipped"), (), 3),
        (run_of("passed", "skipped"), (), 0),
        (run_of("passed", "skipped"), ("--strict",), 3),
        (run_of("passed", "error", interrupted="SIGTERM"), (), 3),
        (run_of("passed", "error", interrupted="run deadline"), (), 3),
        (RunResult("", "", "", [], warnings=["unknown category"]), (), 3),
    ],
    ids=["ready", "not ready", "error", "skipped", "partial", "strict", "terminated", "deadline", "nothing"],
)
def test_the_run_s_verdict_is_ours(tmp_path, run, words, code):
    """Computed again from the results, whatever exit code the report names."""
    text = json.loads(files_of(run)[f"{GLOBAL}/report.json"])
    text["exit_code"], text["verdict"] = 0, "ready"
    files = {**files_of(run), f"{GLOBAL}/report.json": json.dumps(text).encode()}
    path = packed(tmp_path / "t.tar.gz", files)
    seen, out, err = judge(path, *words)
    assert (seen, err) == (code, ""), out
    assert judge("-", *words, stdin=path.read_bytes())[:2] == (seen, out)


def test_a_run_s_own_archive_is_judged_too(tmp_path):
    """What was handed over, before Sonobuoy packed it."""
    files = {name.rpartition("/")[2]: content for name, content in files_of(run_of("failed")).items()}
    assert judge(packed(tmp_path / "t.tar.gz", files))[0] == 1


def test_junit_alone(tmp_path):
    """A harness of an older version, or results that were cut: gating is read from its properties."""
    for outcomes, gating, code in ((("passed",), True, 0), (("failed",), True, 1), (("failed", "passed"), False, 0)):
        files = {k: v for k, v in files_of(run_of(*outcomes, gating=gating)).items() if k.endswith(".xml")}
        seen, out, _ = judge(packed(tmp_path / "t.tar.gz", files))
        assert (seen, "junit_01.xml alone" in out) == (code, True), out


def test_a_plugin_that_failed(tmp_path):
    """No results: Sonobuoy's own words are the line."""
    error = {"error": "Can't schedule pod: 0/2 nodes", "pod": {}}
    path = packed(tmp_path / "t.tar.gz", {"plugins/op-readiness/errors/global/error.json": json.dumps(error).encode()})
    code, out, _ = judge(path)
    assert (code, "Can't schedule pod" in out, len(out.splitlines())) == (3, True, 1)


def test_another_plugin(tmp_path):
    """A renamed plugin is found if it is the only one of ours; a misspelt name is offered the nearest."""
    files = {name.replace("op-readiness", "windows"): content for name, content in files_of(run_of("failed")).items()}
    path = packed(tmp_path / "t.tar.gz", {**files, "plugins/e2e/results/global/e2e.log": b""})
    assert judge(path)[0] == 1
    code, _, err = judge(path, "--plugin", "window")
    assert (code, "did you mean windows?" in err) == (2, True)
    code, _, err = judge(packed(tmp_path / "u.tar.gz", {"plugins/e2e/results/global/e2e.log": b""}))
    assert (code, "e2e" in err) == (2, True)


# -- hostile -----------------------------------------------------------------------------------------------------------


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def device() -> tarfile.TarInfo:
    member = tarfile.TarInfo("plugins/op-readiness/device")
    member.type = tarfile.CHRTYPE
    return member


GOOD = files_of(run_of("passed"))
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><testsuites><testsuite name="&b;"/></testsuites>'


def replaced(name: str, content: bytes) -> dict[str, bytes]:
    return {**GOOD, f"{GLOBAL}/{name}": content}


def bomb(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        member = tarfile.TarInfo("podlogs/a.txt")
        member.size = 4 * 1024**3
        file.write(member.tobuf())
        for _ in range(100):
            file.write(bytes(1024**2))


def odd_fields() -> bytes:
    report = json.loads(GOOD[f"{GLOBAL}/report.json"])
    return json.dumps({**report, "categories": [{"name": 1, "results": [7]}]}).encode()


def huge_header(path: Path) -> None:
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 2**32
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)))


def header_chain(path: Path) -> None:
    longname = tarfile.TarInfo("././@LongLink")
    longname.type, longname.size = tarfile.GNUTYPE_LONGNAME, 2
    path.write_bytes(gzip.compress((longname.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 3000, 1))


def truncated(path: Path) -> None:
    packed(path, GOOD)
    path.write_bytes(path.read_bytes()[:-200])


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "upwards": (lambda p: packed(p, {"plugins/../../etc/passwd": b""}), "leads out"),
    "absolute": (lambda p: packed(p, {"/etc/passwd": b""}), "leads out"),
    "backslashes": (lambda p: packed(p, {"plugins\\..\\x": b""}), "leads out"),
    "drive": (lambda p: packed(p, {"C:/x": b""}), "leads out"),
    "symlink": (lambda p: packed(p, GOOD, link("plugins/x", "/etc/passwd")), "link"),
    "hard link": (lambda p: packed(p, GOOD, link(f"{GLOBAL}/report.json", "meta", tarfile.LNKTYPE)), "link"),
    "device": (lambda p: packed(p, GOOD, device()), "no plain file"),
    "bomb": (bomb, "unpacks"),
    "huge header": (huge_header, "megabytes"),
    "chain of headers": (header_chain, "refused"),
    "same file twice": (lambda p: packed(p, GOOD, tarfile.TarInfo(f"{GLOBAL}/report.json")), "twice"),
    "truncated": (truncated, "middle"),
    "empty": (lambda p: p.write_bytes(b""), "refused"),
    "no gzip": (lambda p: p.write_bytes(b"just words" * 100), "no tar.gz"),
    "gzip of words": (lambda p: p.write_bytes(gzip.compress(b"just words" * 1000)), "refused"),
    "broken xml": (lambda p: packed(p, replaced("junit_01.xml", b"<testsuites><testsuite>")), "junit_01.xml"),
    "entities": (lambda p: packed(p, replaced("junit_01.xml", LAUGHS)), "document type"),
    "control character": (lambda p: packed(p, replaced("junit_01.xml", b"<testsuites>\x1b</testsuites>")), "junit_01"),
    "another root": (lambda p: packed(p, replaced("junit_01.xml", b"<html/>")), "root is html"),
    "deep xml": (lambda p: packed(p, replaced("junit_01.xml", b"<testsuite>" * 10_000)), "nested"),
    "odd encoding": (lambda p: packed(p, replaced("junit_01.xml", b'<?xml version="1.0" encoding="x"?><a/>')), "junit"),
    "broken json": (lambda p: packed(p, replaced("report.json", b"{")), "report.json"),
    "deep json": (lambda p: packed(p, replaced("report.json", b"[" * 200_000)), "report.json"),
    "another json": (lambda p: packed(p, replaced("report.json", b"[]")), "report.json"),
    "no text": (lambda p: packed(p, replaced("report.json", b"\xff\xfe")), "report.json"),
    "odd fields": (lambda p: packed(p, replaced("report.json", odd_fields())), "report"),
    "a lie": (lambda p: packed(p, replaced("junit_01.xml", files_of(run_of("failed"))[f"{GLOBAL}/junit_01.xml"])),
              "junit_01.xml says 0 passed, 1 failed"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tarball_is_refused_in_one_line(tmp_path, name):
    """Nothing is unpacked, nothing is believed, and the line says what is wrong."""
    make, said = HOSTILE[name]
    make(path := tmp_path / "t.tar.gz")
    before = set(tmp_path.rglob("*"))
    code, out, err = judge(path)
    assert (code, out) == (3, ""), out
    assert len(err.splitlines()) == 1 and said in err and str(path) in err, err
    assert "\x1b" not in err
    assert set(tmp_path.rglob("*")) == before


def test_a_large_member_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """Our files have a size beyond which they are not ours."""
    monkeypatch.setattr(tarballs, "MOST_FILE", 1000)
    code, _, err = judge(packed(tmp_path / "t.tar.gz", replaced("report.json", b" " * 1001)))
    assert (code, "1,001 bytes" in err) == (3, True)


def test_many_members_are_refused(tmp_path, monkeypatch):
    """A stream of headers without end."""
    monkeypatch.setattr(tarballs, "MOST_MEMBERS", 10)
    code, _, err = judge(packed(tmp_path / "t.tar.gz", {f"a{n}": b"" for n in range(20)}))
    assert (code, "more than 10 members" in err) == (3, True)


def test_what_is_not_there(tmp_path):
    """A usage error, as a folder is."""
    for path in (tmp_path / "missing", tmp_path):
        code, _, err = judge(path)
        assert (code, len(err.splitlines())) == (2, 1), err


def test_it_is_one_line_in_a_process_too(tmp_path):
    """As a user has it, with a pipe."""
    ran = run_product("sonobuoy", "verdict", "-", folder=tmp_path)
    assert (ran.code, len(ran.err.splitlines())) == (3, 1), ran.said


def test_cases_are_read_as_sonobuoy_reads_them():
    """A skip outweighs a failure."""
    data = b'<testsuite><testcase name="a"><failure/><skipped/></testcase><testcase/></testsuite>'
    assert [case.outcome for case in cases_in(data)] == [Outcome.SKIPPED, Outcome.PASSED]
    with pytest.raises(BrokenXml):
        cases_in(b"")
