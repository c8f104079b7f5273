"""From a container's spec to its process: file system, environment, command line, user, working directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import ConfigError, Container
from op_readiness.simulator.nodes.dns import resolv_conf
from op_readiness.simulator.nodes.environment import environment, expanded
from op_readiness.simulator.nodes.images import Image
from op_readiness.simulator.nodes.mounts import mount_all
from op_readiness.simulator.programs.files import File, FileSystem
from op_readiness.simulator.programs.images import HOSTS_PATH, image_tree
from op_readiness.simulator.programs.process import Process, Sink

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker


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
        self._refuse_unsupported(spec)
        env = await environment(pod.world, pod.node, pod.pod, spec, image, pod.ips)
        env = _named(pod.os, pod.hostname) | env
        files = FileSystem(pod.os, image_tree(image.reference, pod.os))
        self._managed_files(files, spec)
        mount_all(files, pod.node.volumes, pod.pod, spec, pod.volumes.by_name, env)
        return Process(
            argv=_command(spec, image, env), env=env, os=pod.os, hostname=pod.hostname, network=pod.network,
            files=files, clock=pod.clock, image=image.reference, cwd=spec.get("workingDir") or image.variant.cwd or "/",
            user=_user(pod.pod, spec, image), pid1=True, world=pod.world, pod=pod.pod,
            stdout=Sink(lambda data: _logged(container, "stdout", data)),
            stderr=Sink(lambda data: _logged(container, "stderr", data)),
        )  # fmt: skip

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

    def _refuse_unsupported(self, spec: Object) -> None:
        if host_process(self._pod.pod, spec):
            raise ConfigError("HostProcess containers are not simulated")
        if spec.get("volumeDevices"):
            raise ConfigError("block volumes are not simulated")


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


def host_process(pod: Object, spec: Object) -> bool:
    """Whether a container is a HostProcess one."""
    return bool(_windows_option(pod, spec, "hostProcess"))


def _windows_option(pod: Object, spec: Object, name: str) -> Any:
    for context in (spec.get("securityContext"), pod["spec"].get("securityContext")):
        options = (context or {}).get("windowsOptions") or {}
        if name in options:
            return options[name]
    return None


def _user(pod: Object, spec: Object, image: Image) -> str:
    windows = _windows_option(pod, spec, "runAsUserName")
    if windows:
        return str(windows)
    for context in (spec.get("securityContext"), pod["spec"].get("securityContext")):
        if (context or {}).get("runAsUser") is not None and image.variant.user != "ContainerAdministrator":
            return str((context or {})["runAsUser"])
    return image.variant.user
