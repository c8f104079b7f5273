"""The bot's calls, against a server that answers like GitHub, and its report on what hostile jobs leave."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hack.bot import report
from hack.bot.github import GitHub, GitHubError
from hack.bot.report import Seen, conclusion, details, read, shown

SHA, JOB = "a" * 40, "operational-tests-capz-windows-2022"
HOSTILE = (
    "x | <script>alert(1)</script> @everyone [l](javascript:1) `c` **b** https://evil.example #1 "
    "\u202e\x1b[31m\n::error::"
)


class Server:
    """Answers by method and path; keeps what was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.sent: list[tuple[str, str, Any]] = []
        self.url = ""


@pytest.fixture
def server() -> Iterator[Server]:
    known = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            assert self.headers["Authorization"] == "Bearer t"
            known.sent.append((self.command, self.path, body))
            found = known.answers.get(f"{self.command} {self.path.partition('?')[0]}", 404)
            data = json.dumps({} if isinstance(found, int) else found).encode()
            self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    known.url = f"http://127.0.0.1:{listening.server_address[1]}"
    yield known
    listening.shutdown()
    listening.server_close()
    thread.join()


def environ(server: Server, **more: str) -> dict[str, str]:
    return {"GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": "org/repo", "GH_TOKEN": "t",
            "GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "5", **more}  # fmt: skip


def test_permission_is_looked_up(server):
    """The role where it is finer than the permission; none for a stranger; a refusal is no answer."""
    github = GitHub.of(environ(server))
    path = "GET /repos/org/repo/collaborators/writer/permission"
    for given, role in (({"permission": "write", "role_name": "maintain"}, "maintain"),
                        ({"permission": "write", "role_name": "some-custom-role"}, "write"),
                        ({"permission": "read", "role_name": "triage"}, "triage"), (404, "none")):  # fmt: skip
        server.answers[path] = given
        assert github.permission("writer") == role
    server.answers[path] = 403
    with pytest.raises(GitHubError, match="403"):
        github.permission("writer")


def test_when_a_head_was_pushed(server):
    """By GitHub's own times: the commit's dates are whatever its author wrote."""
    github = GitHub.of(environ(server))
    suites = {"check_suites": [{"created_at": "2026-03-01T09:00:05Z"}, {"created_at": "2026-03-01T09:00:00Z"}]}
    server.answers |= {f"GET /repos/org/repo/commits/{SHA}/check-suites": suites,
                       "GET /repos/org/repo/issues/7/events": [{"event": "labeled", "created_at": "x"}]}  # fmt: skip
    assert github.pushed_at(7, SHA) == "2026-03-01T09:00:00Z"
    forced = {"event": "head_ref_force_pushed", "commit_id": SHA, "created_at": "2026-03-01T11:00:00Z"}
    server.answers["GET /repos/org/repo/issues/7/events"] = [forced]
    assert github.pushed_at(7, SHA) == "2026-03-01T11:00:00Z"
    server.answers |= {f"GET /repos/org/repo/commits/{SHA}/check-suites": {"check_suites": []},
                       "GET /repos/org/repo/issues/7/events": []}  # fmt: skip
    assert github.pushed_at(7, SHA) == ""


def test_one_comment_is_kept_up_to_date(server):
    """Only the bot's own, known by its marker; a person's copy of it is left alone."""
    github, marker = GitHub.of(environ(server)), f"<!-- {JOB} -->"
    copied = {"id": 1, "user": {"type": "User"}, "body": f"{marker} mine"}
    server.answers |= {"GET /repos/org/repo/issues/7/comments": [copied], "POST /repos/org/repo/issues/7/comments": {}}
    github.comment_in_place(7, marker, "first")
    assert server.sent[-1] == ("POST", "/repos/org/repo/issues/7/comments", {"body": f"{marker}\nfirst"})
    own = {"id": 2, "user": {"type": "Bot"}, "body": f"{marker}\nfirst"}
    server.answers |= {"GET /repos/org/repo/issues/7/comments": [copied, own],
                       "PATCH /repos/org/repo/issues/comments/2": {}}  # fmt: skip
    github.comment_in_place(7, marker, "second" + "x" * 100_000)
    method, path, body = server.sent[-1]
    assert (method, path) == ("PATCH", "/repos/org/repo/issues/comments/2") and len(body["body"]) <= 65_536


def junit(folder: Path, text: str | bytes) -> Path:
    (folder / "junit_01.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


GREEN = '<testsuites><testsuite name="a"><testcase name="[Core.Network] a"/></testsuite></testsuites>'


def red(folder: Path) -> Path:
    from xml.sax.saxutils import quoteattr

    clean = HOSTILE.replace("\x1b", "")
    case = f"<testcase name={quoteattr(clean)}><failure message={quoteattr(clean)}/></testcase>"
    return junit(folder, f"<testsuites><testsuite>{case * 80}</testsuite></testsuites>")


@pytest.mark.parametrize(
    ("text", "cluster", "readiness", "ended"),
    [
        (GREEN, "success", "success", "success"),
        (GREEN, "success", "failure", "failure"),
        (GREEN, "failure", "skipped", "failure"),
        (GREEN, "success", "cancelled", "cancelled"),
        (GREEN.replace("/></testsuite>", "><failure/></testcase></testsuite>"), "success", "success", "failure"),
        (GREEN.replace("/></testsuite>", "><skipped/></testcase></testsuite>"), "success", "success", "failure"),
        ("<testsuites/>", "success", "success", "failure"),
        ("<testsuites>", "success", "success", "failure"),
    ],
)
def test_success_needs_both_the_exit_code_and_the_report(tmp_path, text, cluster, readiness, ended):
    """A job of the pull request's code cannot say success with nothing to show."""
    assert conclusion(read(junit(tmp_path, text)), cluster, readiness)[0] == ended


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuites>&b;</testsuites>', "document type"),
        (b"<a>" * 100, "no end"),
        (b"\x00", "cannot be read"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "cannot be read"),
        (b"<testsuite>" + b"<testcase/>" * 20_000 + b"</testsuite>", "no end"),
    ],
)
def test_a_hostile_report_is_a_problem_and_no_more(tmp_path, text, said):
    """Nothing is expanded, nothing goes on without end."""
    seen = read(junit(tmp_path, text))
    assert said in seen.problem and seen.cases == []


def test_a_report_that_is_a_link_or_huge_or_missing(tmp_path, monkeypatch):
    """The file itself, of a size that can be read."""
    assert "left no" in read(tmp_path).problem
    (tmp_path / "junit_01.xml").symlink_to("/etc/passwd")
    assert "left no" in read(tmp_path).problem
    (tmp_path / "junit_01.xml").unlink()
    monkeypatch.setattr(report, "MOST_JUNIT", 10)
    assert "larger" in read(junit(tmp_path, GREEN)).problem


def test_hostile_text_is_shown_as_text():
    """No link, no mention, no HTML, no reference, no cell that ends early."""
    text = shown(HOSTILE)
    assert not re.search(r"[<>@`|\[\]()*\n\x1b\u202e]|https?:|(?<!&)#\d", text), text
    assert len(shown("x" * 1000, 50)) < 100


def test_the_pull_request_is_told(server, tmp_path):
    """A check run and a status on the pinned commit, and one comment; all within GitHub's limits."""
    for path in ("check-runs", f"statuses/{SHA}", "issues/7/comments"):
        server.answers[f"POST /repos/org/repo/{path}"] = {}
    server.answers["GET /repos/org/repo/issues/7/comments"] = []
    more = {"JOB": JOB, "SHA": SHA, "PULL": "7", "CLUSTER": "success", "READINESS": "failure"}
    assert report.main(red(tmp_path), environ(server, **more)) == 0
    posted = [(path, body) for method, path, body in server.sent if method == "POST"]
    sent = {path.rpartition("repo/")[2].partition("?")[0]: body for path, body in posted}
    run = sent["check-runs"]
    assert (run["head_sha"], run["name"], run["conclusion"]) == (SHA, JOB, "failure")
    assert sent[f"statuses/{SHA}"]["state"] == "failure"
    text = sent["issues/7/comments"]["body"]
    assert text.startswith(f"<!-- {JOB} -->\n") and f"/test {JOB} {SHA}" in text and "and 30 more" in text
    for one in (text.partition("-->")[2], run["output"]["text"], run["output"]["summary"]):
        assert len(one) <= 65_535 and not re.search(r"<|@|javascript:|evil\.example", one)


def test_only_the_gate_s_words_are_taken(server, tmp_path):
    """Job and commit come from the gate; anything else is refused."""
    for more in ({"JOB": "other", "SHA": SHA}, {"JOB": JOB, "SHA": "main"}):
        with pytest.raises(GitHubError):
            report.main(tmp_path, environ(server, PULL="7", CLUSTER="success", READINESS="success", **more))
    with pytest.raises(GitHubError):
        GitHub.of({**environ(server), "GITHUB_REPOSITORY": "org/repo/../other"})


def test_details_of_a_good_run_are_empty():
    """Nothing to show."""
    assert details(Seen()) == ""
