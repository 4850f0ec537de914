#!/usr/bin/env python3
"""What `make build`, `make dist` and `make install` give: run by `make test-dist`, after `make dist`.

Nothing outside temporary folders is touched. What a machine lacks the tools for is not checked, and the
last lines say so.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import upstart  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIST = ROOT / "target/dist"
PROGRAMS = ("image-server", "image-sharer", "image-worker")
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
EPOCH = os.environ.get("SOURCE_DATE_EPOCH", "1700000000")
NOT_CHECKED = []


def run(*command, code=0, **settings):
    """Runs a command with these environment variables besides PATH; returns what it printed."""
    environment = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", **settings}
    done = subprocess.run([str(word) for word in command], env=environment, cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def setup(action, folder, **settings):
    return run("packaging/setup", action, DESTDIR=str(folder), **settings)


def modes(folder):
    """All files below a folder with their modes."""
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o7777)
            for path in folder.rglob("*") if path.is_file()}


def as_root():
    """The words before a command that has to believe that it is root; None where there are none."""
    for words in (["unshare", "--map-root-user"], []):
        if shutil.which("unshare") is None and words:
            continue
        if subprocess.run([*words, "chroot", "/", "true"], capture_output=True).returncode == 0:
            return words
    return None


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)

    def needs(self, there, what):
        if not there:
            NOT_CHECKED.append(f"{self.id().removeprefix('__main__.')}: {what}")
            self.skipTest(what)

    def needs_tool(self, tool, package):
        self.needs(shutil.which(tool), f"there is no {tool} here (Debian and Ubuntu: apt-get install {package})")


class Programs(Case):
    def setUp(self):
        super().setUp()
        self.root = as_root()
        self.needs(self.root is not None, "chroot needs root, or a kernel that lets `unshare --map-root-user`")
        for program in PROGRAMS:
            shutil.copy(DIST / program, self.folder)

    def test_each_runs_in_an_empty_chroot(self):
        for program in PROGRAMS:
            said = run(*self.root, "chroot", self.folder, f"/{program}", "--version")
            self.assertEqual(said, f"{program} {VERSION}\n")

    def test_an_upload_is_served_from_an_empty_chroot(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        command = [*self.root, "chroot", self.folder, "/image-sharer"]
        with open(self.folder / "log", "w") as log:
            environment = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "SHARER_LISTEN": address}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.addCleanup(process.kill)
        picture = (ROOT / "tests/pictures/rgb-8.png").read_bytes()
        request = urllib.request.Request(f"http://{address}/", picture, {"Content-Type": "image/png"})
        self.assertEqual(self.answer(request, log.name).status, 202)
        self.eventually(lambda: list(self.folder.glob("data/objects/*/large.png")), log.name)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(40), 0, pathlib.Path(log.name).read_text())

    def answer(self, request, log):
        def tried():
            with contextlib.suppress(ConnectionError, urllib.error.URLError):
                return urllib.request.urlopen(request, timeout=20)
        return self.eventually(tried, log)

    def eventually(self, found, log):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if there := found():
                return there
            time.sleep(0.05)
        self.fail("not within 20 s:\n" + pathlib.Path(log).read_text())


class Install(Case):
    TEXTS = {f"usr/local/share/doc/image-sharer/{text}": "0o644"
             for text in ("README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE")}
    COMMON = TEXTS | {f"usr/local/bin/{p}": "0o755" for p in PROGRAMS} \
        | {f"usr/local/share/man/man1/{p}.1": "0o644" for p in PROGRAMS} \
        | {f"etc/image-sharer/{p}.env": "0o640" for p in PROGRAMS}
    UNITS = {f"usr/local/lib/systemd/system/{p}.service": "0o644" for p in PROGRAMS}
    DROP_INS = {f"usr/local/lib/systemd/system/{p}.service.d/backoff.conf": "0o644" for p in PROGRAMS}
    JOBS = {f"etc/init/{p}.conf": "0o644" for p in PROGRAMS}

    def test_each_init_gets_its_files_and_uninstall_leaves_none(self):
        for init, jobs in (("systemd", self.UNITS), ("upstart", self.JOBS), ("none", {})):
            setup("install", self.folder, INIT=init)
            self.assertEqual(modes(self.folder), self.COMMON | jobs, init)
            setup("uninstall", self.folder, INIT=init)
            self.assertEqual(modes(self.folder), {}, init)
            self.assertEqual(list(self.folder.rglob("*image-*")), [], init)

    def test_the_makefile_hands_its_variables_on(self):
        place = {"DESTDIR": str(self.folder), "PREFIX": "/opt/sharer", "SYSCONFDIR": "/opt/etc"}
        run("make", "install", **place)
        unit = self.folder / "opt/sharer/lib/systemd/system/image-server.service"
        self.assertIn("ExecStart=/opt/sharer/bin/image-server\n", unit.read_text())
        self.assertIn("EnvironmentFile=/opt/etc/image-sharer/image-server.env\n", unit.read_text())
        run("make", "uninstall", **place)
        self.assertEqual(modes(self.folder), {})

    def test_folders_can_be_entered_whatever_the_umask(self):
        run("sh", "-c", "umask 077 && packaging/setup install", DESTDIR=str(self.folder / "new"))
        self.assertEqual(modes(self.folder / "new"), self.COMMON | self.UNITS)
        for path in (self.folder / "new").rglob("*"):
            if path.is_dir():
                self.assertEqual(oct(path.stat().st_mode & 0o7777), "0o755", path)

    def test_growing_pauses_are_for_a_systemd_that_knows_them(self):
        setup("install", self.folder, SYSTEMD_VERSION="254")
        self.assertEqual(modes(self.folder), self.COMMON | self.UNITS | self.DROP_INS)
        setup("uninstall", self.folder, SYSTEMD_VERSION="254")
        self.assertEqual(modes(self.folder), {})

    def test_settings_that_were_changed_are_kept(self):
        setup("install", self.folder)
        settings = self.folder / "etc/image-sharer/image-server.env"
        settings.write_text("SHARER_UPLOAD_TOKEN=0123456789abcdef\n")
        self.assertIn(f"kept: {settings}", setup("install", self.folder))
        self.assertIn(str(settings), setup("uninstall", self.folder))
        self.assertEqual(modes(self.folder), {"etc/image-sharer/image-server.env": "0o640"})
        self.assertEqual(settings.read_text(), "SHARER_UPLOAD_TOKEN=0123456789abcdef\n")

    def test_a_wrong_word_is_named(self):
        self.assertIn("systemd, upstart or none", run("packaging/setup", "install", INIT="sysv", code=2))
        self.assertIn("install | uninstall", run("packaging/setup", "instal", code=2))

    def test_every_sample_setting_is_one_that_its_program_reads(self):
        for program in PROGRAMS:
            text = (ROOT / f"init/env/{program}.env").read_text()
            names = re.findall(r"^#?([A-Z_]+)=", text, re.M)
            read = re.findall(r"^  ([A-Z_]+)$", run(DIST / program, "--help"), re.M)
            self.assertGreater(len(names), 2)
            self.assertEqual([name for name in names if name not in [*read, "AWS_REGION"]], [], program)


class Archive(Case):
    NAME = f"image-sharer-{VERSION}-{os.uname().machine}-linux"
    FILE = DIST / f"{NAME}.tar.gz"

    def test_two_builds_are_the_same_to_the_byte(self):
        sums = []
        for umask in ("022", "077"):
            run("sh", "-c", f"umask {umask} && packaging/archive {self.NAME}", SOURCE_DATE_EPOCH=EPOCH)
            sums.append(hashlib.sha256(self.FILE.read_bytes()).hexdigest())
        self.assertEqual(*sums)

    def test_it_holds_all_and_each_file_is_as_its_sum_says(self):
        run("tar", "xzf", self.FILE, "-C", self.folder)
        top = self.folder / self.NAME
        run("sh", "-c", f"cd {top} && sha256sum --check --strict SHA256SUMS")
        listed = {line.split(maxsplit=1)[1] for line in (top / "SHA256SUMS").read_text().splitlines()}
        self.assertEqual(listed | {"SHA256SUMS"}, set(modes(top)))
        for name in ("bin/image-sharer", "init/systemd/image-worker.service", "init/env/image-server.env",
                     "init/upstart/image-sharer.conf", "LICENSE-MIT", "LICENSE-APACHE", "NOTICES.txt", "README.md"):
            self.assertIn(name, listed)
        owners = {line.split()[1] for line in run("tar", "tvzf", self.FILE, "--numeric-owner").splitlines()}
        self.assertEqual(owners, {"0/0"})

    def test_it_installs_by_itself(self):
        run("tar", "xzf", self.FILE, "-C", self.folder)
        run(self.folder / self.NAME / "setup", "install", DESTDIR=str(self.folder / "there"))
        self.assertEqual(modes(self.folder / "there"), Install.COMMON | Install.UNITS)

    def test_the_crates_licences_are_there(self):
        notices = (ROOT / "target/NOTICES.txt").read_text()
        for crate in ("rustls ", "ring ", "tiny_http ", "moxcms "):
            self.assertRegex(notices, f"(?m)^{crate}[0-9]")


class Deb(Case):
    def setUp(self):
        super().setUp()
        self.needs_tool("dpkg-deb", "dpkg")
        self.file, = DIST.glob(f"image-sharer_{VERSION}_*.deb")

    def test_two_builds_are_the_same_to_the_byte(self):
        sums = []
        for umask in ("022", "077"):
            run("sh", "-c", f"umask {umask} && packaging/deb {VERSION}", SOURCE_DATE_EPOCH=EPOCH)
            sums.append(hashlib.sha256(self.file.read_bytes()).hexdigest())
        self.assertEqual(*sums)

    def test_files_modes_and_owners(self):
        files = {}
        for line in run("dpkg-deb", "-c", self.file).splitlines():
            mode, owner, *_, path = line.split()
            self.assertEqual(owner, "root/root")
            if mode.startswith("d"):
                self.assertEqual(mode, "drwxr-xr-x", path)
            elif not path.startswith(("./usr/share/doc/", "./usr/share/lintian/")):
                files[path] = mode
        self.assertEqual(files, {
            **{f"./usr/bin/{p}": "-rwxr-xr-x" for p in PROGRAMS},
            **{f"./usr/lib/systemd/system/{p}.service": "-rw-r--r--" for p in PROGRAMS},
            **{f"./usr/share/man/man1/{p}.1.gz": "-rw-r--r--" for p in PROGRAMS},
            **{f"./etc/image-sharer/{p}.env": "-rw-r-----" for p in PROGRAMS},
        })

    def test_settings_are_conffiles_and_nothing_is_started_or_enabled(self):
        run("dpkg-deb", "-e", self.file, self.folder)
        conffiles = (self.folder / "conffiles").read_text().split()
        self.assertEqual(conffiles, [f"/etc/image-sharer/{p}.env" for p in PROGRAMS])
        verbs = set()
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", self.folder / script)
            verbs |= set(re.findall(r"(?:systemctl|invoke)(?: --\S+)* ([a-z-]+)", (self.folder / script).read_text()))
        self.assertEqual(verbs, {"daemon-reload", "try-restart", "stop", "disable"})

    def test_purge_leaves_the_data_alone(self):
        root = as_root()
        self.needs(root is not None, "dpkg needs root, or a kernel that lets `unshare --map-root-user`")
        dpkg = [*root, "dpkg", f"--root={self.folder}", "--force-script-chrootless", "--force-not-root"]
        (self.folder / "var/lib/dpkg/updates").mkdir(parents=True)
        for name in ("status", "available"):
            (self.folder / "var/lib/dpkg" / name).touch()
        run(*dpkg, "--install", self.file)
        settings = self.folder / "etc/image-sharer/image-server.env"
        self.assertEqual(oct(settings.stat().st_mode & 0o7777), "0o640")
        (self.folder / "var/lib/image-sharer").mkdir()
        (self.folder / "var/lib/image-sharer/object").touch()
        settings.write_text("SHARER_STORE=s3://mine\n")
        run(*dpkg, "--remove", "image-sharer")
        self.assertEqual(settings.read_text(), "SHARER_STORE=s3://mine\n")
        self.assertFalse((self.folder / "usr/bin/image-server").exists())
        run(*dpkg, "--purge", "image-sharer")
        left = [path for path in modes(self.folder) if not path.startswith(("var/lib/dpkg/", "var/log/"))]
        self.assertEqual(left, ["var/lib/image-sharer/object"])
        self.assertFalse((self.folder / "etc/image-sharer").exists())

    def test_lintian_has_nothing_to_say(self):
        self.needs_tool("lintian", "lintian")
        self.assertEqual(run("lintian", "--allow-root", "-I", "--fail-on", "error,warning", self.file), "")


class Units(Case):
    """The units as they are installed, below a prefix of this test's own."""

    MOST_EXPOSED = 1.5

    def setUp(self):
        super().setUp()
        setup("install", "", PREFIX=str(self.folder), SYSCONFDIR=str(self.folder / "etc"), INIT="systemd",
              SYSTEMD_VERSION="0")
        self.units = [self.folder / f"lib/systemd/system/{program}.service" for program in PROGRAMS]

    def test_verify_has_nothing_to_say(self):
        self.needs_tool("systemd-analyze", "systemd")
        self.assertEqual(run("systemd-analyze", "verify", *self.units), "")

    def test_exposure(self):
        self.needs_tool("systemd-analyze", "systemd")
        for unit in self.units:
            said = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                       f"--threshold={int(self.MOST_EXPOSED * 10)}", unit)
            print(f"  {said.strip().splitlines()[-1].lstrip('→ ')}", file=sys.stderr)
            self.assertLessEqual(float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]), self.MOST_EXPOSED)

    def test_the_times_fit_the_drain(self):
        for unit in self.units:
            text = unit.read_text()
            self.assertGreaterEqual(int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.M)[1]), 40)
            for line in ("Type=notify", "Restart=on-failure", "RestartPreventExitStatus=2", "DynamicUser=yes"):
                self.assertIn(f"\n{line}\n", text)

    def test_the_server_alone_has_a_capability_and_that_one_alone(self):
        for unit in self.units:
            names = set(re.findall(r"CAP_\w+", unit.read_text()))
            self.assertEqual(names, {"CAP_NET_BIND_SERVICE"} if unit.stem == "image-server" else set())


class Services(Case):
    """The package on a machine with a systemd of its own: `tests/packaging/services` says what is done."""

    def test_the_package_from_its_installation_to_its_purge(self):
        for file in (*DIST.glob(f"image-sharer_{VERSION}_*.deb"), ROOT / "tests/packaging/upload.py"):
            shutil.copy(file, self.folder)
        shutil.copy(ROOT / "tests/pictures/rgb-8.png", self.folder / "picture.png")
        (self.folder / "out").touch()
        machine = subprocess.run([ROOT / "tests/packaging/machine", ROOT / "tests/packaging/services", self.folder])
        self.needs(machine.returncode != 77, "a systemd of one's own needs root, overlay, cgroup2 and systemd")
        said = dict(re.findall(r"^([\w-]+): (.*?) *$", (self.folder / "out").read_text(), re.M))
        told = "".join(f"\n--- {name}\n{(self.folder / name).read_text()}"
                       for name in ("console", "out", "dpkg", "journal") if (self.folder / name).exists())
        self.assertEqual(said, {
            "installed": "0",
            "enabled": "disabled disabled disabled",
            "active": "inactive inactive inactive",
            "fleet": "0",
            "port80": "202 200 200 200 200",
            "server-user": "not root",
            "server-capabilities": f"{1 << 10:016x}",  # CAP_NET_BIND_SERVICE
            "worker-capabilities": f"{0:016x}",
            "worker-seccomp": "2",  # a filter
            "data": "700",
            "fleet-result": "success success",
            "sharer": "202 200 200 200 200",
            "restarts": "0",
            "restarts-of-who-stood-still": "1",
            "wrong-setting": "failed 2",
            "purged": "0",
            "running": "",
            "left": "",
            "objects": "2",
        }, told)


class Upstart(Case):
    GOOD = "start on (filesystem and net-device-up IFACE!=lo) or runlevel [2345]\nrespawn\nexec /bin/true\n"

    def test_the_jobs_are_well_formed_and_as_strict_as_the_units(self):
        for program in PROGRAMS:
            stanzas = upstart.read((ROOT / f"init/upstart/{program}.conf").read_text())
            flat = {" ".join(words) for words, _ in stanzas}
            for wanted in ("kill timeout 40", "setuid image-sharer", "setgid image-sharer", "respawn",
                           "respawn limit 20 60", "normal exit 0 2", "limit nofile 65536 65536", "umask 0077"):
                self.assertIn(wanted, flat)
            self.assertFalse([line for line in flat if line.startswith("start on")], "nothing starts unasked")
            script, = (script for words, script in stanzas if words == ["script"])
            self.assertIn(f"exec /usr/bin/{program}", script)
            self.assertIn(f". /etc/image-sharer/{program}.env", script)

    def test_the_lint_takes_what_is_right_and_nothing_else(self):
        self.assertEqual(len(upstart.read(self.GOOD)), 3)
        for wrong in ("respwan", "kill timeout soon", "kill 40", "limit nofile 65536", "console logged",
                      "setuid", "umask 9", "exec /bin/false", "pre-start /bin/true", "post-stop script\n  true",
                      "pre-start script\n  if true\nend script", "start on", "start on (a and b", "stop on a and",
                      "expect forks", "normal exit", "description \"half", "respawn limit 5"):
            with self.assertRaises(upstart.Wrong, msg=wrong):
                upstart.read(f"{self.GOOD}{wrong}\n")
        for missing in ("respawn\n", "respawn limit 1 2\nexec /bin/true\n"):
            with self.assertRaises(upstart.Wrong, msg=missing):
                upstart.read(missing)


def main():
    result = unittest.main(exit=False, verbosity=2).result
    print("upstart's jobs were linted only: upstart itself can't be had")
    for what in NOT_CHECKED:
        print(f"NOT CHECKED: {what}")
    sys.exit(not result.wasSuccessful())


main()
