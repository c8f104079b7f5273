"""Records how a real kube-apiserver serves GMSACredentialSpec once its CustomResourceDefinition is installed.

    KUBEBUILDER_ASSETS=... python -m tests.recording.record_custom_kind

Writes op_readiness/simulator/controlplane/data/gmsa.json; the same server gives the same bytes.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from op_readiness.simulator.domain.manifests import CRDS, GROUP, KIND, PLURAL, VERSION, kind
from tests.recording.record_control_plane import AGGREGATED, TABLE, Server, references, without_texts
from tests.simulator.controlplane.answers import ADMIN
from tests.simulator.controlplane.real import real_api_server

TARGET = Path(__file__).parents[2] / "op_readiness/simulator/controlplane/data/gmsa.json"
SERVED_SECONDS = 30.0


def install(url: str) -> None:
    """Create the CustomResourceDefinition and wait until its kind is served, in OpenAPI too."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + CRDS, headers=headers, data=json.dumps(kind()).encode())
    with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30):
        pass
    server, deadline = Server(url, ADMIN), time.monotonic() + SERVED_SECONDS
    while time.monotonic() < deadline:
        try:
            server.get(f"/openapi/v3/apis/{GROUP}/{VERSION}")
            return
        except urllib.error.HTTPError:
            time.sleep(0.2)
    raise SystemExit(f"{PLURAL}.{GROUP} is not served after {SERVED_SECONDS:g} s")


def recorded(server: Server) -> dict[str, Any]:
    """What `customkinds` serves."""
    group = next(one for one in server.get("/apis")["groups"] if one["name"] == GROUP)
    item = next(one for one in server.get("/apis", AGGREGATED)["items"] if one["metadata"]["name"] == GROUP)
    item["metadata"].pop("creationTimestamp", None)
    known = server.get(f"/openapi/v3/apis/{GROUP}/{VERSION}")["components"]["schemas"]
    wanted = {name for name in known if name.endswith((f".{KIND}", f".{KIND}List"))}
    kept: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        kept[name] = without_texts(known[name])
        wanted |= references(known[name]) - kept.keys()
    table = server.get(f"/apis/{GROUP}/{VERSION}/{PLURAL}?limit=1", TABLE)
    columns = [[c["name"], c["type"], c["format"], c["priority"]] for c in table["columnDefinitions"]]
    return {
        "group": group,
        "aggregated": item,
        "resources": {f"{GROUP}/{VERSION}": server.get(f"/apis/{GROUP}/{VERSION}")["resources"]},
        "schemas": {name: kept[name] for name in sorted(kept) if f".{KIND}" in name},
        "columns": {f"{PLURAL}.{GROUP}": columns},
    }


def main() -> None:
    with real_api_server() as url:
        install(url)
        TARGET.write_text(json.dumps(recorded(Server(url, ADMIN)), indent=1) + "\n")
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
