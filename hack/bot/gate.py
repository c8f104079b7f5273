"""The gate before a job: reads one `issue_comment` event and says whether a job starts, and on which commit.

    python -m hack.bot.gate      # GITHUB_EVENT_PATH, GH_TOKEN, GITHUB_REPOSITORY, GITHUB_OUTPUT, GITHUB_SERVER_URL

Only a person with write permission starts one, looked up (`author_association` says nothing reliable). The commit is
named in the comment, or is the head that was there when the comment was made: one pushed later is refused, since the
person has not seen it. What the comment says never reaches a shell; what leaves here are a known job and a checked SHA.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hack.bot.comments import JOBS, Asked, asked_in, help_text
from hack.bot.github import GitHub, GitHubError

MAY_START = ("admin", "maintain", "write")
_SHA = re.compile(r"[0-9a-f]{40}")
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})")


class Api(Protocol):
    """What is asked of GitHub."""

    def permission(self, login: str) -> str:
        """The role of a user in this repository: admin, maintain, write, triage, read or none."""

    def pull(self, number: int) -> dict[str, Any]:
        """The pull request."""

    def pushed_at(self, number: int, sha: str) -> str:
        """When a head commit came to the pull request, ISO 8601, or empty where it is not known."""


@dataclass(frozen=True)
class Decision:
    """What is done. `sha` set: the job starts. `answer` set: that is commented. `why` is for the log."""

    why: str
    job: str = ""
    sha: str = ""
    pull: int = 0
    answer: str = ""

    @property
    def outputs(self) -> dict[str, str]:
        """Outputs of the workflow's step; all empty where nothing starts."""
        starts = bool(self.sha)
        return {
            "job": self.job if starts else "",
            "sha": self.sha if starts else "",
            "pull": str(self.pull) if starts else "",
            "windows": JOBS.get(self.job, "") if starts else "",
        }


def decide(event: Mapping[str, Any], api: Api) -> Decision:
    """The decision about an event, whatever stands in it."""
    try:
        return _decide(event, api)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Decision(f"the event is none that was expected: {type(error).__name__}: {error}")


def _decide(event: Mapping[str, Any], api: Api) -> Decision:
    if ignored := why_ignored(event):
        return Decision(ignored)
    issue, comment = event["issue"], event["comment"]
    asked = asked_in(str(comment["body"] or ""))
    if asked is None:
        return Decision("no command")
    login, number = str(comment["user"]["login"]), int(issue["number"])
    if (permission := api.permission(login)) not in MAY_START:
        return Decision(f"{login} has permission {permission}, not write: neither started nor answered")
    if not asked.job or not asked.known:
        return Decision("the list", pull=number, answer=help_text(asked))
    return _pinned(asked, number, str(comment["created_at"]), api)


def why_ignored(event: Mapping[str, Any]) -> str:
    """Why an event is nothing for us, before anybody is asked about it; empty where it is."""
    issue, user = event["issue"], event["comment"]["user"]
    if event["action"] != "created":
        return f"the comment was {event['action']}, not created: edits start nothing"
    if not issue.get("pull_request"):
        return "the comment is on an issue"
    if user.get("type") == "Bot" or not _LOGIN.fullmatch(str(user["login"])):
        return "bots start nothing"
    return "" if issue.get("state") == "open" else "the pull request is not open"


def _pinned(asked: Asked, number: int, commented: str, api: Api) -> Decision:
    """The job on a commit that cannot change any more."""
    pull = api.pull(number)
    head = str(pull["head"]["sha"])
    if pull["state"] != "open" or not _SHA.fullmatch(head):
        return Decision("the pull request is not open", pull=number)
    if asked.sha and asked.sha != head:
        return _refused(number, f"`{asked.sha[:12]}` is not the head of this pull request any more: look again")
    if not asked.sha:
        pushed = api.pushed_at(number, head)
        if not pushed or _time(pushed) >= _time(commented):
            when = "after that comment was made" if pushed else "at a time that is not known"
            return _refused(number, f"The head `{head[:12]}` came {when}. To test it: `/test {asked.job} {head}`")
    return Decision("started", asked.job, head, number)


def _refused(number: int, answer: str) -> Decision:
    return Decision("refused", pull=number, answer=answer)


def _time(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if found.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return found


def main(environ: Mapping[str, str] = os.environ) -> int:
    """The step of the workflow: outputs are written last, so that whatever goes wrong starts nothing."""
    event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    github = GitHub.of(environ)
    decision = decide(event, github)
    sys.stdout.write(f"{_one_line(decision.why)}\n")
    if decision.answer:
        github.comment(decision.pull, decision.answer)
    if decision.sha:
        github.status(decision.sha, decision.job, "pending", "the cluster is being made")
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write("".join(f"{name}={value}\n" for name, value in decision.outputs.items()))
    return 0


def _one_line(text: str) -> str:
    """Safe for a log in which lines that begin with `::` are commands."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace("::", ": :")[:500]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GitHubError as problem:
        sys.stdout.write(f"{_one_line(str(problem))}\n")
        sys.exit(1)
