"""Files below C:\\var\\log by node log query: one that is listed is given whole, one that is not there is refused.

Which files a Node has differs, so its own listing is asked. Logs of Pods come first, those of our run before others:
kubelets keep them small, while the log of a service may be of any size. What files hold is compared and not kept.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from op_readiness.model.facts import NodeFact
from op_readiness.observe.kubelet import Answered, Kubelets

LISTINGS = 12
"""Folders that are looked into until a file is found."""
TRIES = 2
"""A log may be rotated between the two answers that are compared."""
DEADLINE = 40.0
_LINK = re.compile(r'<a href="([^"]+)">')


@dataclass
class LogFiles:
    """The log folder of one Node."""

    kubelets: Kubelets
    node: NodeFact

    def judged(self) -> tuple[str, list[str]]:
        """The path of the file that was asked for (empty where none is listed), and what is wrong with the answers.

        The file itself is read after the query for it, so one that is still there then was there all the time; one
        that is gone went with its Pod, and another is taken.
        """
        wrong: list[str] = []
        path = ""
        for _ in range(TRIES):
            if not (path := self.listed()):
                break
            answer, file = self._query(path if "/" in path else f"./{path}"), self._get(path)
            if file.status != 200:
                path = ""
                continue
            wrong = _differences(path, answer, file)
            if not wrong:
                break
        return path, [*(wrong if path else []), *self._of_none()]

    def listed(self) -> str:
        """The path of a log that the kubelet lists, empty where none is found."""
        waiting, looked = [""], 0
        while waiting and looked < LISTINGS:
            folder, looked = waiting.pop(), looked + 1
            names = sorted(names_of(self._get(folder).body), key=_rank)
            if file := next((name for name in names if name.lower().endswith(".log")), ""):
                return folder + file
            waiting += [folder + name for name in reversed(names) if name.endswith("/")]
        return ""

    def _of_none(self) -> list[str]:
        answer = self._query(f"./opr-{secrets.token_hex(4)}.log")
        return [] if answer.status == 406 else [f"a file that is not there: {answer.status} in place of 406"]

    def _get(self, path: str) -> Answered:
        return self.kubelets.any_answer(self.node, f"logs/{path}", seconds=DEADLINE)

    def _query(self, file: str) -> Answered:
        return self.kubelets.any_answer(self.node, f"logs/?query={quote(file, safe='')}", seconds=DEADLINE)


def _differences(path: str, answer: Answered, file: Answered) -> list[str]:
    if answer.status != 200:
        return [f"query={path}: {answer.status} {answer.body.strip()[:200]}"]
    if file.body.startswith(answer.body) and bool(answer.body) == bool(file.body):
        return []
    return [f"query={path}: {len(answer.body)} characters, which are not the {len(file.body)} of the file"]


def names_of(listing: str) -> Iterator[str]:
    """The names in a folder's listing as Go's file server writes it; those of folders end in a slash."""
    for link in _LINK.findall(listing):
        name = unquote(html.unescape(link)).removeprefix("./")
        if name.strip("/.") and "/" not in name[:-1] and "\\" not in name:
            yield name


def _rank(name: str) -> tuple[int, str]:
    return (0 if name.startswith("opr-") else 1 if name == "pods/" else 2, name)
