"""curl's command line: options anywhere, short ones bundled, long ones cut short as long as they stay unique."""

from __future__ import annotations

from dataclasses import dataclass, field

SWITCHES = {
    "globoff": "g", "disable": "q", "silent": "s", "show-error": "S", "insecure": "k", "verbose": "v", "ipv4": "4",
    "ipv6": "6", "include": "i", "head": "I", "fail": "f", "location": "L", "remote-name": "O", "get": "G",
    "progress-bar": "#", "no-buffer": "N", "help": "h", "version": "V", "compressed": "", "fail-with-body": "",
    "no-progress-meter": "", "retry-connrefused": "", "retry-all-errors": "", "http0.9": "", "http1.0": "0",
    "http1.1": "", "http2-prior-knowledge": "", "http2": "", "path-as-is": "", "no-keepalive": "", "tcp-nodelay": "",
    "ssl-no-revoke": "", "location-trusted": "", "create-dirs": "", "raw": "", "fail-early": "",
    "show-headers": "", "tlsv1.2": "", "tlsv1.3": "",
}  # fmt: skip
VALUES = {
    "output": "o", "write-out": "w", "header": "H", "request": "X", "data": "d", "data-ascii": "", "data-raw": "",
    "data-binary": "", "data-urlencode": "", "json": "", "form": "F", "connect-timeout": "", "max-time": "m",
    "user-agent": "A", "user": "u", "referer": "e", "cookie": "b", "dump-header": "D", "resolve": "", "connect-to": "",
    "cacert": "", "cert": "E", "key": "", "retry": "", "retry-delay": "", "retry-max-time": "", "max-redirs": "",
    "url": "", "noproxy": "", "range": "r", "stderr": "", "keepalive-time": "", "tls-max": "", "speed-time": "y",
    "speed-limit": "Y", "oauth2-bearer": "",
}  # fmt: skip
NOT_SIMULATED = (
    "upload-file", "T", "proxy", "x", "interface", "local-port", "unix-socket", "config", "K", "next", "parallel", "Z",
    "socks5", "ftp-port", "P", "telnet-option", "t", "cookie-jar", "c", "continue-at", "C", "negotiate", "ntlm",
    "digest", "anyauth", "time-cond", "z", "netrc", "n", "proxytunnel", "p", "quote", "Q", "doh-url", "dns-servers",
)  # fmt: skip
REPEATED = ("header", "form", "resolve", "connect-to", "output", "url")
_SHORT = {short: name for name, short in {**SWITCHES, **VALUES}.items() if short}


class Refused(Exception):
    """A command line that curl does not take; the message goes to stderr, the exit code is 2."""


@dataclass
class Options:
    """What was asked for. `outputs` has a path, `-O` (the remote name) or nothing for each URL in turn."""

    urls: list[str] = field(default_factory=list)
    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    bodies: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        return name in self.switches

    def seconds(self, name: str) -> float | None:
        """A value in seconds; None when it was not given or is zero."""
        return self.number(name) or None

    def number(self, name: str, default: float = 0.0) -> float:
        """A number; raises Refused for anything else."""
        text = self.values.get(name)
        if text is None:
            return default
        try:
            return float(text)
        except ValueError:
            raise Refused(f"curl: option --{name}: expected a proper numerical parameter") from None


def parse(words: list[str]) -> Options:
    """The options of a command line; raises Refused."""
    options, rest = Options(), list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            options.urls += rest
            break
        if word.startswith("--"):
            _long(options, word, rest)
        elif word.startswith("-") and len(word) > 1:
            _short(options, word, rest)
        else:
            options.urls.append(word)
    for name in ("connect-timeout", "max-time", "retry", "retry-delay", "retry-max-time", "max-redirs"):
        options.number(name)
    return options


def _long(options: Options, word: str, rest: list[str]) -> None:
    name = _full_name(word)
    if name.startswith("no-") and name not in SWITCHES:
        options.switches.discard(_full_name("--" + name[3:]))
    elif name in SWITCHES:
        options.switches.add(name)
        if name == "remote-name":
            options.outputs.append("-O")
    else:
        if not rest:
            raise Refused(f"curl: option {word}: requires parameter")
        _value(options, name, rest.pop(0))


def _full_name(word: str) -> str:
    name = word[2:]
    if name in SWITCHES or name in VALUES:
        return name
    if name in NOT_SIMULATED and len(name) > 1:
        raise Refused(f"curl: option {word}: is not simulated")
    if name.startswith("no-") and name[3:] in SWITCHES:
        return name
    near = [known for known in (*SWITCHES, *VALUES) if known.startswith(name)] if name else []
    if len(near) == 1:
        return near[0]
    raise Refused(f"curl: option {word}: is {'ambiguous' if near else 'unknown'}")


def _short(options: Options, word: str, rest: list[str]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        name = _SHORT.get(letter)
        if name is None:
            reason = "not simulated" if letter in NOT_SIMULATED else "unknown"
            raise Refused(f"curl: option {word}: is {reason}")
        if name in SWITCHES:
            options.switches.add(name)
            if name == "remote-name":
                options.outputs.append("-O")
            continue
        if not letters and not rest:
            raise Refused(f"curl: option {word}: requires parameter")
        _value(options, name, letters or rest.pop(0))
        letters = ""


def _value(options: Options, name: str, text: str) -> None:
    if name == "url":
        options.urls.append(text)
    elif name == "output":
        options.outputs.append(text)
    elif name.startswith("data") or name == "json":
        options.bodies.append((name, text))
    elif name in REPEATED:
        options.lists.setdefault(name, []).append(text)
    else:
        options.values[name] = text
