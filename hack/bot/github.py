"""The few calls of GitHub's API that the bot makes, with a token that the workflow's job is granted."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

SECONDS = 30.0
MOST_COMMENT, MOST_TEXT = 60_000, 65_000
"""Characters that GitHub takes: a comment, and the summary or the text of a check run."""


class GitHubError(Exception):
    """A call that was refused or not answered."""


@dataclass(frozen=True)
class GitHub:
    """One repository. `url` is the API's, `run_url` leads to this run of the workflow."""

    url: str
    repository: str
    token: str
    run_url: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> GitHub:
        """As a workflow's environment names it."""
        repository = environ["GITHUB_REPOSITORY"]
        if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", repository):
            raise GitHubError("GITHUB_REPOSITORY is no repository")
        server, run = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_RUN_ID", "")
        run_url = f"{server}/{repository}/actions/runs/{run}" if server and run else ""
        return cls(environ["GITHUB_API_URL"].rstrip("/"), repository, environ["GH_TOKEN"], run_url)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer. Raises GitHubError."""
        request = urllib.request.Request(
            f"{self.url}{path}", None if body is None else json.dumps(body).encode(), method=method,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json",
                     "Content-Type": "application/json", "X-GitHub-Api-Version": "2022-11-28"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise GitHubError(f"{method} {path}: {error.code} {error.reason}") from error
        except (OSError, ValueError) as error:
            raise GitHubError(f"{method} {path}: {error}") from error

    # -- asking ----------------------------------------------------------------------------------------------------

    def permission(self, login: str) -> str:
        """The role of a user in this repository; `none` where there is none."""
        try:
            found = self.call("GET", f"/repos/{self.repository}/collaborators/{quote(login, safe='')}/permission")
        except GitHubError as error:
            if isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code == 404:
                return "none"
            raise
        return str(found.get("role_name") if found.get("role_name") in ("maintain", "triage") else found["permission"])

    def pull(self, number: int) -> dict[str, Any]:
        """The pull request."""
        return dict(self.call("GET", f"/repos/{self.repository}/pulls/{number}"))

    def pushed_at(self, number: int, sha: str) -> str:
        """When GitHub first saw a head commit: the check suites that a push makes, or the forced push that brought it.

        A commit's own dates are written by whoever makes it, and say nothing.
        """
        suites = self.call("GET", f"/repos/{self.repository}/commits/{sha}/check-suites?per_page=100")
        times = [str(suite["created_at"]) for suite in suites.get("check_suites", ()) if suite.get("created_at")]
        pushes = [
            str(event["created_at"])
            for event in self.call("GET", f"/repos/{self.repository}/issues/{number}/events?per_page=100")
            if event.get("event") == "head_ref_force_pushed" and event.get("commit_id") == sha
        ]
        return max(pushes) if pushes else min(times, default="")

    # -- answering -------------------------------------------------------------------------------------------------

    def comment(self, number: int, text: str) -> None:
        """A new comment."""
        self.call("POST", f"/repos/{self.repository}/issues/{number}/comments", {"body": text[:MOST_COMMENT]})

    def comment_in_place(self, number: int, marker: str, text: str) -> None:
        """The comment of the bot that carries a marker, written anew; made where there is none."""
        body = {"body": f"{marker}\n{text}"[:MOST_COMMENT]}
        for page in range(1, 11):
            query = f"per_page=100&page={page}"
            found = self.call("GET", f"/repos/{self.repository}/issues/{number}/comments?{query}")
            for one in found:
                if one["user"].get("type") == "Bot" and str(one["body"] or "").startswith(marker):
                    self.call("PATCH", f"/repos/{self.repository}/issues/comments/{int(one['id'])}", body)
                    return
            if len(found) < 100:
                break
        self.call("POST", f"/repos/{self.repository}/issues/{number}/comments", body)

    def status(self, sha: str, job: str, state: str, text: str) -> None:
        """The commit status that the job's name stands for."""
        body = {"state": state, "context": job, "description": text[:140], "target_url": self.run_url}
        self.call("POST", f"/repos/{self.repository}/statuses/{sha}", body)

    def check_run(self, sha: str, job: str, conclusion: str, title: str, summary: str, text: str) -> None:
        """A check run that is over."""
        output = {"title": title[:200], "summary": summary[:MOST_TEXT], "text": text[:MOST_TEXT]}
        body = {"name": job, "head_sha": sha, "status": "completed", "conclusion": conclusion,
                "details_url": self.run_url, "output": output}  # fmt: skip
        self.call("POST", f"/repos/{self.repository}/check-runs", body)
