"""Lints upstart jobs against the grammar of init(5), upstart 1.12: Ubuntu 14.04's.

Upstart itself can't be had any more, so this is all that its jobs are tested by.
"""

import re
import shlex
import subprocess

SCRIPTS = ("pre-start", "post-start", "pre-stop", "post-stop")
RESOURCES = ("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc",
             "rss", "rtprio", "sigpending", "stack")
SIGNAL = r"(SIG)?[A-Z]+[0-9]*|[0-9]+"
NUMBER = r"-?[0-9]+"
# A stanza's arguments; scripts and events are looked at on their own.
STANZAS = {
    "author": r".+", "description": r".+", "version": r".+", "usage": r".+",
    "env": r"\w+(=.*)?", "export": r"\w+( \w+)*", "emits": r"\S+( \S+)*", "import": r"\w+",
    "chdir": r"/.*", "chroot": r"/.*", "umask": r"0?[0-7]{3}", "nice": NUMBER, "oom": r"score (-?[0-9]+|never)",
    "console": r"log|output|owner|none", "setuid": r"[a-z_][a-z0-9_-]*", "setgid": r"[a-z_][a-z0-9_-]*",
    "limit": rf"({'|'.join(RESOURCES)}) (unlimited|{NUMBER}) (unlimited|{NUMBER})",
    "kill": rf"timeout [0-9]+|signal ({SIGNAL})", "reload": rf"signal ({SIGNAL})",
    "respawn": r"(limit (unlimited|[0-9]+ [0-9]+))?", "normal": rf"exit ({SIGNAL})( ({SIGNAL}))*",
    "expect": r"stop|daemon|fork|none", "apparmor": r"(load|switch) .+", "instance": r".+",
    "task": r"", "manual": r"", "debug": r"(fork|exec|none).*", "cgroup": r".+",
}
ONCE = ("exec/script", "description", "setuid", "setgid", "chdir", "umask", "console", "kill timeout",
        "respawn limit", "start on", "stop on")


class Wrong(Exception):
    """What a job breaks, with its line."""


def read(text):
    """A job's stanzas in their order, as pairs of words and script; raises Wrong."""
    stanzas, lines = [], iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise Wrong(f"line {number}: {error}") from None
        script = None
        if words[-1] == "script":
            body = []
            for _, inner in lines:
                if inner.strip() == "end script":
                    break
                body.append(inner)
            else:
                raise Wrong(f"line {number}: a script without its end")
            script = "\n".join(body)
        check(number, words, script)
        stanzas.append((words, script))
    whole(stanzas)
    return stanzas


def check(number, words, script):
    """One stanza by itself."""
    first, rest = words[0], words[1:]
    if first in SCRIPTS:
        if not rest or rest[0] not in ("exec", "script"):
            raise Wrong(f"line {number}: {first} is followed by exec or script")
        first, rest = rest[0], rest[1:]
    if first == "exec":
        if not rest:
            raise Wrong(f"line {number}: exec without a command")
    elif first == "script":
        if rest or script is None:
            raise Wrong(f"line {number}: script stands alone in its line")
        shell = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
        if shell.returncode != 0:
            raise Wrong(f"line {number}: {shell.stderr.strip()}")
    elif first in ("start", "stop"):
        if rest[:1] != ["on"] or len(rest) < 2:
            raise Wrong(f"line {number}: {first} on EVENT")
        events(number, " ".join(rest[1:]))
    elif first not in STANZAS:
        raise Wrong(f"line {number}: no such stanza: {first}")
    elif not re.fullmatch(STANZAS[first], " ".join(rest)):
        raise Wrong(f"line {number}: {first} {' '.join(rest)}: not what it takes")


def events(number, text):
    """An expression of events: EVENT [KEY=VALUE…], and, or, brackets; runlevels have brackets of their own."""
    depth, wanted = 0, True
    for token in re.findall(r"[()]|[^\s()]+", text):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
        elif token in ("and", "or"):
            if wanted:
                raise Wrong(f"line {number}: an event is missing before {token}")
            wanted = True
        else:
            wanted = False
        if depth < 0:
            break
    if depth or wanted:
        raise Wrong(f"line {number}: no expression of events: {text}")


def whole(stanzas):
    """What only shows in the job as a whole."""
    names = []
    for words, _ in stanzas:
        name = words[0]
        if name in ("exec", "script"):
            name = "exec/script"
        elif name in ("kill", "start", "stop") or words[:2] == ["respawn", "limit"]:
            name = " ".join(words[:2])
        names.append(name)
    for name in ONCE:
        if names.count(name) > 1:
            raise Wrong(f"{name} stands twice: the first would not count")
    if "exec/script" not in names:
        raise Wrong("neither exec nor script: nothing would run")
    if "respawn limit" in names and "respawn" not in names:
        raise Wrong("respawn limit without respawn: nothing would be started again")
