"""From a container's spec to its process: file system, environment, command line, user, working directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import ConfigError, Container, CreateFailed
from op_readiness.simulator.nodes.dns import resolv_conf
from op_readiness.simulator.nodes.environment import environment, expanded
from op_readiness.simulator.nodes.hostprocess import MOUNT_POINT, host_environment, inserted, working_directory
from op_readiness.simulator.nodes.images import Image
from op_readiness.simulator.nodes.mounts import mount_all
from op_readiness.simulator.nodes.runtimes import host_root, refuse_host_process, told_addresses
from op_readiness.simulator.nodes.stats import available_bytes
from op_readiness.simulator.nodes.users import gmsa_of, host_process, identity_met, refuse_root, user_of
from op_readiness.simulator.programs.files import File, FileSystem
from op_readiness.simulator.programs.images import HOSTS_PATH, image_tree
from op_readiness.simulator.programs.process import Process, Sink
from op_readiness.simulator.programs.usage import Usage, base_bytes

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker

NO_CREDENTIALS = (
    "failed to create containerd task: failed to create shim task: hcs::CreateComputeSystem: failed to set up external "
    "credentials: The RPC server is unavailable. (0xc0020017)"
)
"""What containerd says when the host cannot get the credentials of a GMSA (microsoft/Windows-Containers#221)."""


class Maker:
    """Makes the processes of one Pod's containers."""

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self._hosts: File | None = None

    async def process_of(self, container: Container, image: Image) -> Process:
        """The first process of a new life; raises ConfigError."""
        pod, spec = self._pod, container.spec
        if pod.network is None:
            raise ConfigError("the sandbox is gone")
        if spec.get("volumeDevices"):
            raise ConfigError("block volumes are not simulated")
        refuse_root(pod.pod, spec, image, pod.os, pod.node.identities)
        refuse_host_process(pod.node.host, pod.pod, spec)
        user = user_of(pod.pod, spec, image, pod.os, pod.node.identities)
        credentials, without_domain = self._credentials(spec)
        ips = told_addresses(pod.node.host, pod.pod, pod.ips)
        env = await environment(pod.world, pod.node, pod.pod, spec, image, ips, user)
        env = _named(pod.os, pod.hostname) | env
        argv, cwd = _command(spec, image, env), spec.get("workingDir") or image.variant.cwd or "/"
        if host_process(pod.as_run, spec):
            env = host_environment(env, user, pod.hostname)
            argv, cwd = [inserted(word) for word in argv], working_directory(cwd)
            files = self._host_view(image, spec, env)
        else:
            files = FileSystem(pod.os, image_tree(image.reference, pod.os))
            self._managed_files(files, spec)
            mount_all(
                files, pod.node.volumes, pod.pod, spec, pod.volumes.by_name, env, identities=pod.node.identities
            )  # fmt: skip
        return Process(
            argv=argv, env=env, os=pod.os, hostname=pod.hostname, network=pod.network, files=files, clock=pod.clock,
            image=image.reference, cwd=cwd, user=user, pid1=True, world=pod.world, pod=pod.as_run,
            usage=self._usage(spec),
            credential_spec=credentials, without_domain=without_domain, container=container.name,
            stdout=Sink(lambda data: _logged(container, "stdout", data)),
            stderr=Sink(lambda data: _logged(container, "stderr", data)),
        )  # fmt: skip

    def _credentials(self, spec: Object) -> tuple[str, bool]:
        """The credential spec that the runtime is handed, and whether the container starts without its credentials.

        Raises CreateFailed where it cannot start.
        """
        account, text = gmsa_of(self._pod.pod, spec)
        if not text or self._pod.os != "windows":
            return text, False
        met = identity_met(self._pod.node.identities, self._pod.pod, spec, "credentials", account)
        if met.state == "refused":
            raise CreateFailed(met.message or NO_CREDENTIALS)
        return ("" if met.state == "lost" else text), met.state != "well"

    def _usage(self, spec: Object) -> Usage:
        """The container's usage, held by the limits that the kubelet has just asked the runtime for."""
        pod, limits, name = self._pod, self._pod.node.limits, spec["name"]
        windows = pod.os == "windows"
        limits.set_container(pod.pod, spec, windows)
        return Usage(
            limit=lambda resource: limits.of_container(pod.pod, name, resource),
            base=base_bytes(spec["image"]),
            left=(lambda: available_bytes(pod.kubelet)) if windows else None,
        )

    def _host_view(self, image: Image, spec: Object, env: dict[str, str]) -> FileSystem:
        """The Node's own files, with the image and the volumes bound into them for this container alone."""
        pod = self._pod
        files = FileSystem(pod.os, host_root(pod.node))
        files.mount(MOUNT_POINT, image_tree(image.reference, pod.os))
        for below in (MOUNT_POINT, ""):
            mount_all(files, pod.node.volumes, pod.pod, spec, pod.volumes.by_name, env, below)
        return files

    def exec_process(self, container: Container, argv: list[str], stdin: bytes) -> Process:
        """Another process of a running container; raises ConfigError when it does not run."""
        if container.process is None or not container.running:
            raise ConfigError(f"container {container.name} is not running")
        return container.process.child(argv, stdin=stdin)

    def _managed_files(self, files: FileSystem, spec: Object) -> None:
        """The hosts file that all containers of a Pod share, and on Linux resolv.conf and hostname."""
        pod = self._pod
        mounted = {mount["mountPath"] for mount in spec.get("volumeMounts") or []}
        if HOSTS_PATH[pod.os] not in mounted and pod.network is not None:
            if self._hosts is None:
                self._hosts = File(pod.network.hosts.encode())
            files.mount(HOSTS_PATH[pod.os], self._hosts)
        if pod.os == "linux" and pod.network is not None:
            files.mount("/etc/resolv.conf", File(resolv_conf(pod.pod, pod.network.dns)))
            files.mount("/etc/hostname", File(f"{pod.hostname}\n".encode()))


def _named(os: str, hostname: str) -> dict[str, str]:
    return {"HOSTNAME": hostname} if os == "linux" else {"COMPUTERNAME": hostname[:15].upper()}


def _logged(container: Container, stream: str, data: bytes) -> None:
    if container.log is not None:
        container.log.write(stream, data)


def _command(spec: Object, image: Image, env: dict[str, str]) -> list[str]:
    """Kubernetes' rules: `command` replaces entry point and arguments of the image, `args` its arguments."""
    command, args = spec.get("command"), spec.get("args")
    if command:
        words = [*command, *(args or [])]
    else:
        words = [*image.variant.entrypoint, *(args if args else image.variant.command)]
    return [expanded(word, env) for word in words]
