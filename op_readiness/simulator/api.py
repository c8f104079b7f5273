"""The simulator's own small API client: Nodes, keepers and controllers speak to either control plane through it.

Plain dicts over aiohttp. The official client is not used here so that the simulator stays a thing of its own, and
because one event loop runs every Node.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

Object = dict[str, Any]
PATCHES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """The API server said no; `code`, `reason` and `message` are its own."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code, self.reason, self.message = code, reason, message


class Api:
    """A client of one API server. `token` is a bearer token; `ca` the path of its CA file, or None for any."""

    def __init__(self, server: str, token: str, ca: str | None = None) -> None:
        self.server, self._token, self._ca = server.rstrip("/"), token, ca
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Api:
        context: ssl.SSLContext | bool = ssl.create_default_context(cafile=self._ca) if self._ca else False
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            headers={"Authorization": f"Bearer {self._token}", "User-Agent": "op-readiness-simulator"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use Api as an async context manager")
        return self._session

    async def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Object:
        """One call; gives the decoded answer, raises ApiError for a status of 400 and more."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": content_type} if data is not None else {}
        async with self._open.request(method, self.server + path, data=data, headers=headers) as response:
            text = await response.text()
            answer = _decoded(text)
            if response.status >= 400:
                raise ApiError(response.status, answer.get("reason", ""), answer.get("message", text))
            return answer

    async def get(self, path: str) -> Object:
        """The object (or list) at `path`."""
        return await self.request("GET", path)

    async def create(self, path: str, obj: Object) -> Object:
        """POST to a collection."""
        return await self.request("POST", path, obj)

    async def update(self, path: str, obj: Object) -> Object:
        """PUT to an object."""
        return await self.request("PUT", path, obj)

    async def patch(self, path: str, body: Any, kind: str = "merge") -> Object:
        """PATCH an object; `kind` is strategic, merge, json or apply."""
        return await self.request("PATCH", path, body, PATCHES[kind])

    async def delete(self, path: str, options: Object | None = None) -> Object:
        """DELETE an object."""
        return await self.request("DELETE", path, options)

    async def watch(self, path: str, query: str = "") -> AsyncIterator[tuple[str, Object]]:
        """List, then watch, for ever: yields (LISTED, list), then (ADDED|MODIFIED|DELETED, object).

        Lists again after 410 and after any break, so a consumer must take LISTED as the whole truth.
        """
        while True:
            try:
                listed = await self.get(f"{path}?{query}" if query else path)
                yield "LISTED", listed
                async for event in self._events(path, query, listed["metadata"]["resourceVersion"]):
                    yield event
            except (aiohttp.ClientError, ApiError, OSError, ValueError):
                await asyncio.sleep(0.2)

    async def _events(self, path: str, query: str, version: str) -> AsyncIterator[tuple[str, Object]]:
        url = f"{self.server}{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}"
        url += f"&{query}" if query else ""
        async with self._open.get(url) as response:
            if response.status >= 400:
                raise ApiError(response.status, "", await response.text())
            buffer = b""
            async for chunk in response.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 500), event["object"].get("reason", ""), "")
                    if event["type"] != "BOOKMARK":
                        yield event["type"], event["object"]


def _decoded(text: str) -> Object:
    try:
        answer = json.loads(text) if text else {}
    except ValueError:
        return {"message": text}
    return answer if isinstance(answer, dict) else {"value": answer}


class Informer:
    """A cache of one collection kept by watch; `changed` is called with (old or None, new or None).

    Keys are (namespace, name). `synced` is set after the first list.
    """

    def __init__(self, api: Api, path: str, query: str = "") -> None:
        self.api, self.path, self.query = api, path, query
        self.objects: dict[tuple[str, str], Object] = {}
        self.handlers: list[Callable[[Object | None, Object | None], Any]] = []
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async for kind, obj in self.api.watch(self.path, self.query):
            if kind == "LISTED":
                self._replace(obj.get("items") or [])
                self.synced.set()
            else:
                self._apply(None if kind == "DELETED" else obj, key_of(obj))

    def _replace(self, items: list[Object]) -> None:
        fresh = {key_of(item): item for item in items}
        for key in [key for key in self.objects if key not in fresh]:
            self._apply(None, key)
        for key, item in fresh.items():
            old = self.objects.get(key)
            if old is None or old["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
                self._apply(item, key)

    def _apply(self, new: Object | None, key: tuple[str, str]) -> None:
        old = self.objects.pop(key, None) if new is None else self.objects.get(key)
        if new is not None:
            self.objects[key] = new
        if old is not None or new is not None:
            for handler in self.handlers:
                handler(old, new)


def key_of(obj: Object) -> tuple[str, str]:
    """(namespace, name) of an object; namespace is empty for what has none."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
