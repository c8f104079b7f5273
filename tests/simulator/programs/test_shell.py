"""The POSIX shell and its applets."""

from __future__ import annotations

import pytest

from .containers import Container, Net, play

SCRIPTS = [
    ("echo \"a  b\" c'd e'", "a  b cd e\n"),
    ("x='a b'; for w in $x \"$x\"; do echo \"<$w>\"; done", "<a>\n<b>\n<a b>\n"),
    ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n"),
    ("false && echo no || echo yes; ! true; echo $?", "yes\n1\n"),
    ("case abc.txt in *.log|*.md) echo A;; [a-c]*.txt) echo B;; esac", "B\n"),
    ("f() { echo \"$1:$#\"; return 3; }; f 'x y' z; echo $?", "x y:2\n3\n"),
    ("echo $(echo $(echo deep)) `echo back`", "deep back\n"),
    ("echo ${u:-def} ${u:=set} $u ${u:+alt} ${#u}", "def set set alt 3\n"),
    ("y=/a/b.tar.gz; echo ${y%.*} ${y%%.*} ${y#*/} ${y##*/}", "/a/b.tar /a/b a/b.tar.gz b.tar.gz\n"),
    ("cat <<E\nv=$((2+3)) $(echo s)\nE\ncat <<'E'\n$x\nE", "v=5 s\n$x\n"),
    ("set -- a 'b c'; for a in \"$@\"; do echo \"<$a>\"; done; shift; echo $#", "<a>\n<b c>\n1\n"),
    ("seq 3 | while read x; do echo \"[$x]\"; done", "[1]\n[2]\n[3]\n"),
    ("nosuch 2>/dev/null || echo $?", "127\n"),
    ("(exit 4); echo $?; { echo a; echo b; } | sort -r", "4\nb\na\n"),
    ("echo out; echo err >&2; ls /nosuch 2>&1", "out\nls: /nosuch: No such file or directory\n"),
    ("echo one > /tmp/f; echo two >> /tmp/f; wc -l < /tmp/f", "2\n"),
    ("if ! grep -q x /etc/hosts; then echo none; elif true; then echo some; fi", "none\n"),
    ("until [ \"$n\" = xxx ]; do n=x$n; done; echo $n", "xxx\n"),
    ("for i in 1 2 3; do for j in 1 2; do [ $i = 2 ] && break 2; echo $i$j; done; done", "11\n12\n"),
    ("sleep 3 & echo first; wait; echo last", "first\nlast\n"),
    ("echo /bin/ec*; echo '*' \"?\"; echo /no*", "/bin/echo\n* ?\n/no*\n"),
    ("trap 'echo bye' EXIT; echo hi; exit 0", "hi\nbye\n"),
    ("printf '%s-%03d\\n' a 7 b 8", "a-007\nb-008\n"),
    ("IFS=,; x=a,b; for i in $x; do echo $i; done", "a\nb\n"),
    ("x=1; x=2 env | grep ^x=; echo $x", "x=2\n1\n"),
    ("command -v curl; type cd; which nosuch || echo no", "/usr/bin/curl\ncd is a shell builtin\nno\n"),
    ("echo $((7/2)) $((7%3)) $((1<2&&3>2)) $((0x10)) $(( (1+2)*3 ))", "3 1 1 16 9\n"),
    ("echo a,b,c | cut -d, -f1,3 | tr a-z A-Z; seq 10 | head -n 3 | tail -n 1", "A,C\n3\n"),
    ("printf 'b\\na\\nb\\n' | sort | uniq -c | sed 's/^ *//'", "1 a\n2 b\n"),
    ("printf abc | sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n"),
    ("echo a b c | xargs -n 2 echo x", "x a b\nx c\n"),
    ("mkdir -p /tmp/d/e && touch /tmp/d/e/f && ls -R /tmp/d | head -3; rm -r /tmp/d; ls /tmp/d", "/tmp/d:\ne\n\n"),
    ("expr 3 + 4; expr a = b; expr length hello; date -u +%Y | wc -c", "7\n0\n5\n5\n"),
    ("kill -9 99 || echo none; busybox echo applet", "none\napplet\n"),
    ("hostname; id -u; whoami", "pod-a\n0\nroot\n"),
    ("timeout 2 sleep 9; echo $?", "143\n"),
    ("set -e; if false; then :; fi; false || true; echo on; false; echo off", "on\n"),
    ("set -o pipefail; false | true; echo $?", "1\n"),
    ("a=1\\\n2; echo $a # comment\necho '#'x#y", "12\n#x#y\n"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "out"), SCRIPTS)
def test_scripts_give_what_a_shell_gives(script, out):
    """Output of scripts of every kind."""

    async def scene(net: Net) -> None:
        assert (await Container(net).run("sh", "-c", script)).out == out

    play(scene)


@pytest.mark.parametrize(
    ("script", "code", "err"),
    [
        ("nosuch --x", 127, "sh: nosuch: not found\n"),
        ("/no/such", 127, "sh: /no/such: not found\n"),
        ("/etc/hosts", 126, "sh: /etc/hosts: Permission denied\n"),
        ("echo 'open", 2, "sh: syntax error: unterminated quoted string\n"),
        ("if true; then", 2, 'sh: syntax error: unexpected end of file (expecting "fi")\n'),
        ("echo x > /no/f", 1, "sh: can't create /no/f: nonexistent directory\n"),
        ("cat < /no", 1, "sh: can't open /no: no such file\n"),
        ("echo x >&7", 1, "sh: 7: Bad file descriptor\n"),
        ("cat /no", 1, "cat: can't open '/no': No such file or directory\n"),
        ("[ 1 -eq x ]", 2, "sh: x: bad number\n"),
        ("echo ${u?gone}", 2, "sh: u: gone\n"),
        ("set -u; echo $u", 2, "sh: u: parameter not set\n"),
        ("echo $((1/0))", 2, "sh: divide by zero\n"),
        ("exit 300", 44, ""),
        ("kill -9 $$", 137, ""),
        ("awk '{}' x", 127, "sh: awk: not found\n"),
    ],
)
def test_failures_carry_the_shells_words(script, code, err):
    """Exit codes and messages are ash's; what is not simulated is not found."""

    async def scene(net: Net) -> None:
        ran = await Container(net).run("sh", "-c", script)
        assert (ran.code, ran.err) == (code, err)

    play(scene)


def test_a_shell_runs_on_windows_too():
    """BusyBox's sh on Windows finds .exe files, agnhost and Windows paths, and writes LF."""

    async def scene(net: Net) -> None:
        container = Container(net, os="windows")
        container.files.makedirs("/shared")
        script = 'for i in $(seq 1 3); do echo $NAME-$i >> /shared/log; done; cat C:/shared/log | wc -l; /agnhost'
        container.env["NAME"] = "c1"
        ran = await container.run("sh", "-c", script)
        assert ran.out.startswith("3\nUsage:")
        assert container.files.read("C:\\shared\\log") == b"c1-1\nc1-2\nc1-3\n"

    play(scene)


def test_a_loop_of_requests_goes_through_the_network():
    """A shell loop of curls sees the server's name each time."""

    async def scene(net: Net) -> None:
        await Container(net, "10.244.2.7").start("/agnhost", "netexec")
        script = "for i in $(seq 5); do curl -g -q -s --max-time 15 10.244.2.7:8080/hostname; echo; sleep 1; done"
        began = net.clock.now()
        assert (await Container(net).run("/bin/sh", "-c", script)).out == "pod-a\n" * 5
        assert net.clock.now() - began >= 5

    play(scene)


def test_outputs_reach_the_log_as_they_come():
    """A process that is still running has already written what it wrote."""

    async def scene(net: Net) -> None:
        process, task = await Container(net).start("sh", "-c", "echo early; sleep 60; echo late")
        assert bytes(process.stdout.data) == b"early\n"
        task.cancel()

    play(scene)


def test_a_script_comes_by_file_or_standard_input():
    """`sh FILE ARGS` and `sh` with a script on its input."""

    async def scene(net: Net) -> None:
        container = Container(net)
        container.files.write("/s.sh", b"echo $0 $2\n")
        assert (await container.run("sh", "/s.sh", "a", "b")).out == "/s.sh b\n"
        assert (await container.run("sh", stdin=b"echo from; echo input\n")).out == "from\ninput\n"

    play(scene)
