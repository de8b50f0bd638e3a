"""The separate device, end to end, on made-up machines: DESIGN §6.

A refusal is 80 with nothing asked, nothing on standard output, and an entry in the log; no variable
and no setting of the user's gets around it.
"""
import contextlib
import os
import pathlib
import secrets
import shutil
import subprocess
import time
import unittest

import links
from machine import LAPTOP, Machine, OTHER_LAPTOP, new_boot_id
from program import (Home, IS_ROOT, ORDINARY, PIN, PROGRAM, ProgramTest, WORK, as_user,
                     environment, needs_root, otpauth, template)

ISSUER = links.Issuer()
ATTESTED = "--not-prescribing-device"
ELSEWHERE = links.record([(1, os.urandom(16)), (5, b"ELSEWHERE1"), (8, b"ELSEWHERE2")], "ward 3")


def opening_commands(home):
    """Every command that opens the keystore, and activate."""
    file = home.path / "issuer.pub"
    file.write_text(ISSUER.file)
    if home.user is not None:
        os.chown(file, home.user, home.user)
    return [["activate", otpauth(), ATTESTED], ["activate", ISSUER.link(), ATTESTED,
            "--trust-issuer", ISSUER.fingerprint], ["show"], ["show", "--json"],
            ["show", "--once", ATTESTED], ["list"], ["list", "--json"], ["rename", "Clinic", "b"],
            ["remove", "Clinic", "--yes"], ["pin"], ["pin", "--random-pin"],
            ["device", "forbid", ELSEWHERE], ["issuer", "list"], ["issuer", "add", str(file)],
            ["issuer", "remove", ISSUER.fingerprint]]


def copied(name):
    """One of the tools beside this file, where ordinary users can run it."""
    shutil.copy(pathlib.Path(__file__).with_name(name), WORK / name)
    return WORK / name


def filtered(*rules):
    """In front of a command: the caller's own filter of system calls (filtered.py)."""
    return ["/usr/bin/python3", str(copied("filtered.py")), ",".join(rules), "/usr/bin/env"]


class DeviceTest(ProgramTest):
    def setUp(self):
        self.machines = []

    def tearDown(self):
        for machine in self.machines:
            machine.remove()

    def machine(self, *arguments, **keywords):
        keywords.setdefault("boot_id", new_boot_id())
        self.machines.append(Machine(*arguments, **keywords))
        return self.machines[-1]

    def register(self, machine, label="front desk"):
        done = Home().run("device", "register", "--label", label, machine=machine)
        self.assert_ends(done, 0)
        return done.out.strip()

    def check(self, machine, home=None, **keywords):
        done = (home or Home()).run("device", "check", "--json", machine=machine, **keywords)
        self.assertEqual(done.code, 80 if done.json["separation"] == "same" else 0, done)
        return done.json

    def assert_refused(self, home, machine, *evidence, **keywords):
        """Refused everywhere, with nothing asked: no answer is given, and none is missed."""
        logged = len(home.log(machine=machine, **keywords))
        for command in opening_commands(home):
            with self.subTest(" ".join(command)[:40]):
                done = home.run(*command, machine=machine, **keywords)
                self.assert_ends(done, 80)
                entries = home.log(machine=machine, **keywords)[logged:]
                self.assertEqual([(e["event"], e["outcome"]) for e in entries],
                                 [("refuse", "refused")], "told once")
                for word in evidence:
                    self.assertIn(word, entries[0]["detail"])


@needs_root
class MarkerTest(DeviceTest):
    def test_register_prints_the_record_of_this_machine_and_marks_it(self):
        machine = self.machine()
        text = self.register(machine)
        self.assertEqual(machine.marker.read_text(), text + "\n")
        self.assertEqual(machine.marker.stat().st_mode & 0o777, 0o644)
        self.assertEqual(links.label(text), "front desk")
        self.assertEqual(links.kinds(text), [1, 2, 4, 5, 6, 7])
        # The record is made of keyed hashes: recomputed, and no identifier is in it.
        data = links.unb64(text.split("#")[1])
        salt = data[2 + data[1]:][:16]
        hashed = links.blake2b(b"\x01" + bytes.fromhex(machine.machine_id), key=salt)[:16]
        self.assertIn(b"\x01" + hashed, data)
        self.assertNotIn(bytes.fromhex(machine.machine_id), data)
        # Again it prints the same, whatever the label.
        self.assertEqual(self.register(machine, "another label"), text)

    def test_a_marked_machine_is_the_same_and_unregister_lifts_it(self):
        machine = self.machine()
        self.register(machine)
        verdict = self.check(machine)
        self.assertEqual(verdict["evidence"], ["machine-id", "boot-id", "marker", "product-uuid",
                                               "product-serial", "board-serial", "chassis-serial"])
        self.assertIn("front desk", verdict["reason"])
        listed = Home().run("device", "list", machine=machine)
        self.assertIn("front desk", listed.out)
        self.assert_ends(Home().run("device", "unregister", machine=machine), 0)
        self.assertFalse(machine.marker.exists())
        self.assertEqual(self.check(machine)["separation"], "unverified")

    def test_only_root_registers_and_unregisters(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        self.assert_ends(home.run("device", "register", machine=machine), 78, "only root")
        self.register(machine)
        self.assert_ends(home.run("device", "unregister", machine=machine), 78, "only root")
        self.assertEqual(self.check(machine, home)["separation"], "same")

    def test_labels_that_can_not_be_shown_are_usage_errors(self):
        machine = self.machine()
        for label in ("x" * 65, "a\x1bb", "a\u202eb"):
            done = Home().run("device", "register", "--label", label, machine=machine)
            self.assert_ends(done, 64)
        self.assertFalse(machine.marker.exists())

    def test_a_spoiled_marker_still_marks(self):
        machine = self.machine()
        record = self.register(machine)
        spoiled = {
            "empty": lambda: machine.marker.write_text(""),
            "nonsense": lambda: machine.marker.write_text("nonsense\n"),
            "cut": lambda: machine.marker.write_text(record[:-3]),
            "huge": lambda: machine.marker.write_text("x" * 100_000),
            "writable": lambda: machine.marker.chmod(0o666),
            "another owner": lambda: os.chown(machine.marker, ORDINARY, ORDINARY),
            "unreadable": lambda: machine.marker.chmod(0o000),
            "a link": lambda: (machine.marker.unlink(), machine.marker.symlink_to("/etc/hostname")),
            "a dangling link": lambda: (machine.marker.unlink(),
                                        machine.marker.symlink_to("/nowhere")),
            "a folder": lambda: (machine.marker.unlink(), machine.marker.mkdir()),
        }
        home = Home(user=ORDINARY)
        for name, spoil in spoiled.items():
            with self.subTest(name):
                machine.clear_administration()
                machine.write("etc/softtoken/prescribing-device", record + "\n")
                spoil()
                verdict = self.check(machine, home)
                self.assertEqual((verdict["separation"], verdict["evidence"]), ("same", ["marker"]))
                self.assert_ends(home.run("show", machine=machine), 80)

    def test_everything_is_refused_on_a_marked_machine_for_root(self):
        self.refused_on_a_marked_machine(None)

    def test_everything_is_refused_on_a_marked_machine_for_an_ordinary_user(self):
        self.refused_on_a_marked_machine(ORDINARY)

    def refused_on_a_marked_machine(self, user):
        machine = self.machine()
        home = Home(user=user)
        home.activate(machine=machine)
        self.register(machine)
        before = (home.data / "keystore").read_bytes()
        self.assert_refused(home, machine, "marker")
        self.assertEqual((home.data / "keystore").read_bytes(), before)
        self.assertEqual(home.status(machine=machine)["device"]["separation"], "same")
        self.assertEqual(home.status(machine=machine)["attemptsLeft"], 10)
        # Nor does it make anything of a home without a keystore.
        empty = Home(user=user)
        self.assert_refused(empty, machine, "marker")
        self.assertEqual(empty.status(machine=machine)["keystore"], "none")
        # A request would only bring a link that is refused here.
        self.assert_ends(empty.run("request", machine=machine), 80, "sends prescriptions")
        self.assertFalse((empty.state / "request").exists())
        self.assertEqual(empty.log(machine=machine)[-1]["event"], "refuse")
        self.assert_ends(Home().run("device", "unregister", machine=machine), 0)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)

    def test_a_machine_that_is_registered_while_a_pin_is_waited_for_is_refused(self):
        for user in (None, ORDINARY):
            machine = self.machine()
            home = Home(user=user)
            home.activate(machine=machine)
            waiting = subprocess.Popen(
                home.command(["show", "--once"], machine), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(home.path),
                start_new_session=True, cwd="/")
            self.wait_until_it_reads(waiting)
            self.register(machine)
            out, err = waiting.communicate(f"{PIN}\n".encode(), timeout=30)
            self.assertEqual((waiting.returncode, out), (80, b""), err)
            self.assertEqual(home.status(machine=machine)["attemptsLeft"], 10)
            self.assertEqual(home.log(machine=machine)[-1]["event"], "refuse")

    def wait_until_it_reads(self, process):
        """Until the program itself has slept for a while: all that it waits for is an answer."""
        asleep = 0
        for _ in range(500):
            asleep = asleep + 1 if self.is_asleep(process) else 0
            if asleep == 10:
                return
            time.sleep(0.02)
        self.fail("it never came to its question")

    def is_asleep(self, process):
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                stat = (folder / "stat").read_text()
                input_is_ours = os.path.samestat(
                    os.stat(folder / "fd/0"), os.fstat(process.stdin.fileno()))
                if "(softtoken) S" in stat and input_is_ours:
                    return True
        return False

    def test_no_variable_and_no_folder_gets_around_it(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        home.activate(machine=machine)
        self.register(machine)
        other = str(home.path / "other")
        os.makedirs(other)
        os.chown(other, ORDINARY, ORDINARY)
        for changes in ({"HOME": other}, {"XDG_DATA_HOME": other}, {"XDG_STATE_HOME": other},
                        {"XDG_CONFIG_HOME": other, "XDG_CONFIG_DIRS": other, "XDG_DATA_DIRS": other},
                        {"SOFTTOKEN_ROOT": other, "SOFTTOKEN_ETC": other, "SYSROOT": other},
                        {"LD_PRELOAD": "/nowhere.so", "GLIBC_TUNABLES": "x"},
                        {"container": "docker"}):
            with self.subTest(list(changes)):
                for command in (["show"], ["activate", otpauth(), ATTESTED]):
                    done = home.run(*command, machine=machine, changes=changes)
                    self.assert_ends(done, 80)


@needs_root
class RecordTest(DeviceTest):
    """What a record says about a machine, by machine-id, by kernel and by hardware."""

    def verdict(self, machine, record, user=None):
        """What a link that carries the record meets: its code, and where kept, the verdict."""
        home = Home(user=user)
        link = ISSUER.link(st={"prescribing": [record]})
        done = home.run("activate", link, ATTESTED, "--trust-issuer", ISSUER.fingerprint,
                        answers=f"{links.CODE}\nClinic\n{PIN}\n", machine=machine)
        if done.code == 80:
            self.assert_ends(done, 80)
            self.assertEqual(home.status(machine=machine)["keystore"], "none")
            return "same", done.err
        self.assert_ends(done, 0)
        device = home.status(machine=machine)["device"]
        return device["separation"], device["reason"]

    def test_another_machine_is_separate(self):
        record = self.register(self.machine())
        self.assertEqual(self.verdict(self.machine(dmi=OTHER_LAPTOP), record)[0], "separate")

    def test_the_machine_itself_is_the_same_without_its_marker(self):
        machine = self.machine()
        record = self.register(machine)
        machine.clear_administration()
        for user in (None, ORDINARY):
            verdict, words = self.verdict(machine, record, user)
            self.assertEqual(verdict, "same")
            self.assertIn('"front desk"', words)

    def test_the_same_machine_id_is_the_same_for_who_sees_no_serials(self):
        first = self.machine()
        record = self.register(first)
        rebooted = self.machine(first.machine_id)
        self.assertEqual(self.verdict(rebooted, record, ORDINARY)[0], "same")

    def test_a_reinstalled_system_is_known_by_its_hardware(self):
        record = self.register(self.machine())
        self.assertEqual(self.verdict(self.machine(), record)[0], "same")

    def test_a_cloned_image_is_told_to_renew_its_machine_id(self):
        first = self.machine()
        record = self.register(first)
        verdict, words = self.verdict(self.machine(first.machine_id, dmi=OTHER_LAPTOP), record)
        self.assertEqual(verdict, "unverified")
        self.assertIn("cloned", words)
        done = Home().run("activate", ISSUER.link(st={"prescribing": [record]}),
                          "--trust-issuer", ISSUER.fingerprint,
                          machine=self.machine(first.machine_id, dmi=OTHER_LAPTOP))
        self.assert_ends(done, 81, "have its machine-id and its file system's UUID renewed")

    def test_a_container_on_the_prescribing_machine_is_known_by_its_kernel(self):
        host = self.machine()
        record = self.register(host)
        inside = self.machine(boot_id=host.boot_id, dmi={}, container=True)
        self.assertEqual(self.verdict(inside, record)[0], "same")
        elsewhere = self.machine(dmi={}, container=True)
        verdict, words = self.verdict(elsewhere, record)
        self.assertEqual(verdict, "unverified")
        self.assertIn("container", words)

    def test_a_user_namespace_on_the_prescribing_machine_is_known_by_its_kernel(self):
        """An ordinary user makes namespaces of their own, with another machine-id in them."""
        host = self.machine(boot_id=None)
        record = self.register(host)
        home = Home(user=ORDINARY)
        fake = home.path / "machine-id"
        fake.write_text(secrets.token_hex(16) + "\n")
        home.give_to(ORDINARY)
        script = f'mount --bind {fake} /etc/machine-id && exec "$@"'
        prefix = as_user(ORDINARY, ["unshare", "-Urm", "/bin/sh", "-ec", script, "sh"])
        if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
            self.skipTest("this kernel keeps user namespaces from ordinary users")
        home.user = None
        link = ISSUER.link(st={"prescribing": [record]})
        done = home.run("activate", link, ATTESTED, "--trust-issuer", ISSUER.fingerprint,
                        prefix=prefix)
        self.assert_ends(done, 80, "running system")
        verdict = home.run("device", "check", "--json", prefix=prefix).json
        self.assertEqual(verdict["separation"], "unverified")

    def test_a_user_namespace_is_never_separate(self):
        machine = self.machine(dmi=OTHER_LAPTOP)
        machine.unshared = ["-U", "-r", "-m", "-u"]
        done = Home().run("device", "check", "--json", machine=machine)
        self.assertEqual(done.json["separation"], "unverified", done)
        self.assertIn("namespace", done.json["reason"])

    def test_a_time_namespace_is_never_separate(self):
        record = self.register(self.machine())
        machine = self.machine(dmi=OTHER_LAPTOP)
        home = Home()
        home.activate(ISSUER.link(st={"prescribing": [record]}), "Clinic", PIN, "--trust-issuer",
                      ISSUER.fingerprint, code=links.CODE, machine=machine)
        self.assertEqual(self.check(machine, home)["separation"], "separate")
        machine.unshared = ["-m", "-u", "-T", "--boottime", "1000"]
        self.assertEqual(self.check(machine, home)["separation"], "unverified")

    def test_a_virtual_machine_is_never_separate(self):
        record = self.register(self.machine())
        virtual = self.machine(dmi={**OTHER_LAPTOP, "sys_vendor": "QEMU"})
        verdict, words = self.verdict(virtual, record)
        self.assertEqual(verdict, "unverified")
        self.assertIn("virtual", words)

    def test_placeholder_serials_prove_nothing(self):
        blank = {name: "To be filled by O.E.M." for name in LAPTOP if name.endswith("serial")}
        record = self.register(self.machine(dmi=blank))
        self.assertEqual(links.kinds(record), [1, 2])
        self.assertNotEqual(self.verdict(self.machine(dmi=blank), record)[0], "same")

    def test_a_machine_with_nothing_to_recognise_it_by_can_not_be_registered(self):
        done = Home().run("device", "register", machine=self.machine("", dmi={}))
        self.assert_ends(done, 74)


@needs_root
class ForgeryTest(DeviceTest):
    """Another machine, made up in a user namespace by whoever starts the program (forge.py)."""

    def setUp(self):
        super().setUp()
        # The real machine with an /etc of its own: no user namespaces are made inside of a chroot.
        self.etc = WORK / f"etc-{secrets.token_hex(4)}"
        (self.etc / "softtoken").mkdir(parents=True)
        (self.etc / "machine-id").write_text(secrets.token_hex(16) + "\n")
        own = links.record([(1, bytes.fromhex((self.etc / "machine-id").read_text()))])
        (self.etc / "softtoken/prescribing-device").write_text(own + "\n")
        (self.etc / "softtoken/policy.json").write_text('{"separation":"strict"}')
        self.user = ORDINARY

    def inside(self, how, home, *command):
        """The program's command line, on the marked machine, in a forgery as its user makes it."""
        folder = f"/tmp/forged-{secrets.token_hex(4)}"
        self.addCleanup(lambda: os.path.isdir(folder) and os.rmdir(folder))
        tool = copied("forge.py")
        copied("filtered.py")
        forge = ["/usr/bin/python3", str(tool), how, folder]
        script = f'mount --bind {self.etc} /etc && exec "$@"'
        return ["unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", script, "sh",
                *as_user(self.user, [*forge, *command] if how else list(command))]

    def forged(self, how, home, *arguments, **keywords):
        user, home.user = home.user, None
        try:
            return home.run(*arguments, prefix=self.inside(how, home, *keywords.pop("above", [])),
                            **keywords)
        finally:
            home.user = user

    def test_a_marked_machine_under_strict_is_never_separate_in_a_forgery(self):
        record = links.record([(1, os.urandom(16)), (8, b"ELSEWHERE2")], "ward 3")
        link = ISSUER.link(st={"prescribing": [record]})
        trusted = ("--trust-issuer", ISSUER.fingerprint)
        answers = f"{links.CODE}\nClinic\n{PIN}\n"
        for user in (ORDINARY, 0):
            self.user = user
            self.assert_ends(self.forged(None, Home(user=user), "show"), 80)
            # Before 6.11 root is not told apart from an ordinary user's namespace of root's.
            older = () if user == 0 else (
                "nothing,6.10", "nothing,5.5", "proc,6.10", "proc,5.5", "nothing,ioctl=95",
                "nothing,ioctl=25", "nothing,ioctl=0", "nothing,openat2=38", "nothing,openat2=2",
                "nothing,pidfd_open=0,ioctl=95,openat2=38", "proc,ioctl=95",
                # What asks for namespaces alone: PIDFD_GET_…_NAMESPACE, NS_GET_USERNS.
                "nothing," + ",".join(f"ioctl:1:{request}=95"
                                      for request in ("0xFF09", "0xFF05", "0xFF07", "0xB701")),
                "nothing,ioctl:1:0xFF03=0,ioctl:1:0xFF09=95,ioctl:1:0xB701=95")
            for how in ("nothing", "proc", *older):
                with self.subTest(f"{user} {how}"):
                    home = Home(user=user)
                    done = self.forged(how, home, "activate", link, *trusted, answers=answers)
                    if done.code != 74:  # no /proc at all that could tell how clocks are shifted
                        self.assert_ends(done, 81, "user namespace")
                    done = self.forged(how, home, "device", "check", "--json")
                    self.assertEqual(done.json["separation"], "unverified", done)
                    self.assertIn("user namespace", done.json["reason"])
                    self.assertEqual(done.code, 0)

    def test_mounts_of_another_user_namespace_are_nobody_s_to_believe(self):
        """Root, who enters the mounts of an ordinary user's namespace and nothing else of it."""
        made = subprocess.Popen(self.inside("nothing", None, "/bin/sh", "-c", "echo $$; exec cat"),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(made.communicate)
        process = made.stdout.readline().decode().strip()
        inside = ["nsenter", "-m", "-r", "-t", process]
        done = Home().run("device", "check", "--json", prefix=inside)
        self.assertIn("user namespace", done.json["reason"])

    def test_a_remote_login_is_not_hidden_by_a_forged_proc(self):
        server = pathlib.Path(WORK) / "sshd"
        if not server.exists():
            shutil.copy("/bin/sh", server)
        for how in ("ancestors", "proc"):
            home = Home(user=ORDINARY)
            user, home.user = home.user, None
            prefix = [str(server), "-c", '"$@"; exit $?', "sshd", *self.inside(how, home)]
            done = home.run("status", "--json", prefix=prefix)
            home.user = user
            if done.code != 74:  # no /proc at all that could tell how clocks are shifted
                self.assertIsNot(done.json["remote"], False, how)


@needs_root
class CallersOwnTest(DeviceTest):
    """What an ordinary user brings about without a namespace: a filter, files that can't be read."""

    def separate(self, **policy):
        """A machine that is another one than the record's, and a home with a token on it."""
        record = links.record([(1, os.urandom(16)), (5, b"ELSEWHERE1"), (6, b"ELSEWHERE3")])
        machine = self.machine(dmi=OTHER_LAPTOP)
        home = Home()
        done = home.run("activate", ISSUER.link(st={"prescribing": [record], **policy}),
                        "--trust-issuer", ISSUER.fingerprint,
                        answers=f"{links.CODE}\nClinic\n{PIN}\n", machine=machine)
        self.assert_ends(done, 0)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        return machine, home

    def attested_at_each_use(self, machine, home, word, **keywords):
        """Unverified, and so again the next time."""
        self.assertIn(word, self.check(machine, home, **keywords)["reason"])
        for _ in range(2):
            self.assert_ends(home.run("show", answers=PIN, machine=machine, **keywords), 81, word)
            attested = len([e for e in home.log(machine=machine) if e["event"] == "attest"])
            self.assert_ends(home.run("show", ATTESTED, answers=PIN, machine=machine, **keywords), 0)
            self.assertEqual(
                len([e for e in home.log(machine=machine) if e["event"] == "attest"]), attested + 1)

    def test_a_filter_is_found_whatever_it_filters(self):
        machine, home = self.separate()
        for rules in (["9999=38"], ["ioctl=95"], ["openat2=38"], ["openat2=0"], ["pidfd_open=0"]):
            with self.subTest(rules):
                self.attested_at_each_use(machine, home, "filtered", prefix=filtered(*rules))
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)

    def test_strict_refuses_under_a_filter_and_where_files_can_not_be_read(self):
        machine, home = self.separate(policy={"separation": "strict"})
        self.assert_ends(home.run("show", ATTESTED, machine=machine, prefix=filtered("9999=38")),
                         81, "filtered")
        machine.extra = [f"mount -t tmpfs -o mode=700 none {machine.root}/sys/class/net"]
        home.give_to(ORDINARY)
        home.user = ORDINARY
        self.assert_ends(home.run("show", ATTESTED, machine=machine), 81, "can't be read here")

    def test_what_everyone_may_read_and_this_user_can_not_is_no_proof(self):
        machine, home = self.separate()
        home.give_to(ORDINARY)
        home.user = ORDINARY
        machine.extra = [f"mount -t tmpfs -o mode=700 none {machine.root}/sys/class/net"]
        self.attested_at_each_use(machine, home, "can't be read here")

    def test_a_policy_that_was_seen_holds_until_a_file_says_otherwise(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        machine.write_policy('{"attempts":4}')
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        limit = lambda **keywords: home.status(machine=machine, **keywords)["policy"]["attempts"]
        machine.clear_administration()
        for keywords in ({}, {"prefix": filtered("ioctl=95")}):
            self.assertEqual(limit(**keywords), {"value": 4, "from": "administrator"})
            self.assert_ends(
                home.run("show", ATTESTED, answers=PIN, machine=machine, **keywords), 0)
        machine.write_policy("{}")
        self.assertEqual(limit(prefix=filtered("ioctl=95"))["value"], 4)
        self.assertEqual(limit(), {"value": 10, "from": "default"})
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        self.assertIn("allows more", [e["detail"] for e in home.log(machine=machine)][-2])
        self.assertEqual(limit(prefix=filtered("ioctl=95"))["value"], 10)

    def test_a_sandbox_that_did_nothing_is_noticed(self):
        home = Home()
        home.activate()
        dumpable = "prctl:0:4=0"  # PR_SET_DUMPABLE
        for rule in (dumpable, "seccomp=0", "landlock_restrict_self=0"):
            with self.subTest(rule):
                done = home.run("show", "--once", ATTESTED, answers=PIN, prefix=filtered(rule))
                self.assert_ends(done, 74)
                self.assertEqual(done.out, "")


@needs_root
class ForbidTest(DeviceTest):
    def test_a_record_from_elsewhere_is_kept_and_refuses_there(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        home.activate(machine=machine)
        self.assert_ends(home.run("device", "forbid", ELSEWHERE, answers=PIN, machine=machine), 0)
        listed = home.run("device", "list", machine=machine)
        self.assertIn("ward 3", listed.out)
        self.assertIn(ELSEWHERE, listed.out)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        # This very machine gets one of the forbidden identifiers: it is the same now.
        machine.set_dmi({**LAPTOP, "product_serial": "ELSEWHERE1"})
        self.assertEqual(self.check(machine, Home(home))["separation"], "same")
        rooted = Home(home)
        self.assert_refused(rooted, machine, "product-serial")
        # Who may not read the serials isn't told: the record alone is not enough for them.
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)

    def test_a_record_from_a_file(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        file = home.path / "record"
        file.write_text(ELSEWHERE + "\n")
        self.assert_ends(home.run("device", "forbid", file, answers=PIN, machine=machine), 0)
        self.assertIn("ward 3", home.run("device", "list", machine=machine).out)

    def test_a_record_of_this_machine_is_refused_before_the_pin_and_not_kept(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        own = links.record([(1, bytes.fromhex(machine.machine_id)), (8, b"SOME DISK")], "me")
        done = home.run("device", "forbid", own, machine=machine)
        self.assert_ends(done, 80, "this very device")
        self.assertEqual(home.log(machine=machine)[-1]["event"], "device")
        self.assertEqual(home.log(machine=machine)[-1]["outcome"], "refused")
        self.assertNotIn("another computer", home.run("device", "list", machine=machine).out)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)

    def test_damaged_records_are_rejected(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        for record in (ELSEWHERE[:-1], ELSEWHERE + "A", ELSEWHERE + "!", ELSEWHERE + "%20",
                       "softtoken:prescribing#", links.record([]),
                       links.record([(1, b"x" * 16)], "a\x1bb")):
            with self.subTest(record[-10:]):
                done = home.run("device", "forbid", record, answers=PIN, machine=machine)
                self.assert_ends(done, 65)
        self.assert_ends(home.run("device", "forbid", ELSEWHERE, answers="8305", machine=machine),
                         77)
        self.assertNotIn("another computer", home.run("device", "list", machine=machine).out)

    def test_a_separate_device_needs_no_attestation_and_asks_when_it_is_unverified_again(self):
        machine = self.machine(dmi=OTHER_LAPTOP)
        record = links.record([(1, os.urandom(16)), (5, b"ELSEWHERE1"), (6, b"ELSEWHERE3")])
        home = Home()
        link = ISSUER.link(st={"prescribing": [record]})
        done = home.run("activate", link, "--trust-issuer", ISSUER.fingerprint,
                        answers=f"{links.CODE}\nClinic\n{PIN}\n", machine=machine)
        self.assert_ends(done, 0)
        self.assertEqual(home.status(machine=machine)["device"]["separation"], "separate")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write(".dockerenv", "")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 81, ATTESTED)
        self.assert_ends(home.run("show", ATTESTED, answers=PIN, machine=machine), 0)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        self.assertIn("attest", [e["event"] for e in home.log(machine=machine)])
        # Separate again, and then not: it is asked again.
        (machine.root / ".dockerenv").unlink()
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write(".dockerenv", "")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 81)


@needs_root
class PolicyTest(DeviceTest):
    def test_strict_separation_refuses_what_is_unverified(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        home.activate(machine=machine)
        machine.write_policy('{"separation":"strict"}')
        self.assert_ends(home.run("show", ATTESTED, machine=machine), 81)
        self.assert_ends(home.run("activate", otpauth(), ATTESTED, machine=machine), 81)
        events = [(e["event"], e["outcome"]) for e in home.log(machine=machine)]
        self.assertEqual(events[-1], ("refuse", "refused"))
        self.assertEqual(events.count(events[-1]), 1, "told once")
        machine.write_policy('{"separation":"attest"}')
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)

    def test_strict_separation_of_a_link_is_kept_with_its_token(self):
        record = links.record([(1, os.urandom(16)), (5, b"ELSEWHERE1"), (6, b"ELSEWHERE3")])
        machine = self.machine(dmi=OTHER_LAPTOP)
        strict = {"policy": {"separation": "strict"}}
        home = Home()
        answers = f"{links.CODE}\nClinic\n{PIN}\n"
        options = (ATTESTED, "--trust-issuer", ISSUER.fingerprint)
        done = home.run("activate", ISSUER.link(st=strict), *options, answers=answers,
                        machine=machine)
        self.assert_ends(done, 81)
        done = home.run("activate", ISSUER.link(st={**strict, "prescribing": [record]}), *options,
                        answers=answers, machine=machine)
        self.assert_ends(done, 0)
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write(".dockerenv", "")
        self.assert_ends(home.run("show", ATTESTED, answers=PIN, machine=machine), 81)

    def test_unsigned_links_can_be_forbidden(self):
        machine = self.machine()
        machine.write_policy('{"unsigned":false}')
        home = Home()
        done = home.run("activate", otpauth(), ATTESTED, answers=f"Clinic\n{PIN}\n", machine=machine)
        self.assert_ends(done, 88, "signed links only")
        home.activate(ISSUER.link(), "Clinic", PIN, "--trust-issuer", ISSUER.fingerprint,
                      code=links.CODE, machine=machine)

    def test_an_administrators_issuer_file_is_trust_enough(self):
        machine = self.machine()
        machine.write("etc/softtoken/issuers/authority.pub", ISSUER.file)
        machine.write("etc/softtoken/issuers/notes.txt", "not a key")
        home = Home(user=ORDINARY)
        home.activate(ISSUER.link(), "Clinic", PIN, code=links.CODE, machine=machine)
        listed = home.run("issuer", "list", answers=PIN, machine=machine).out
        self.assertIn(ISSUER.fingerprint, listed)

    def test_files_of_the_administrator_that_can_not_be_trusted(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        bad = ["{", "[]", "null", '{"unsigned":1}', '{"unsigned":"false"}', '{"attempts":2}',
               '{"attempts":11}', '{"attempts":3.0}', '{"session":29}', '{"session":901}',
               '{"separation":"lax"}', '{"colour":"blue"}', '{"remote":true,"remote":true}',
               '{"remote":true,}', '\ufeff{"remote":true}', '{"remote":true} x', "x" * 70_000]
        for text in bad:
            with self.subTest(text[:30]):
                machine.write_policy(text)
                for command in (["show"], ["activate", otpauth(), ATTESTED], ["list"]):
                    self.assert_ends(home.run(*command, answers=PIN, machine=machine), 78,
                                     "policy.json")
        for text in ("{}", ' {"attempts" : 3 , "remote":false}\n'):
            machine.write_policy(text)
            self.assert_ends(home.run("show", machine=machine), 66)
        path = machine.write_policy("{}")
        path.chmod(0o664)
        self.assert_ends(home.run("show", machine=machine), 78)
        path.chmod(0o644)
        os.chown(path, ORDINARY, 0)
        self.assert_ends(home.run("show", machine=machine), 78)
        path.unlink()
        path.symlink_to("/dev/null")
        self.assert_ends(home.run("show", machine=machine), 78)
        machine.clear_administration()
        machine.write("etc/softtoken/issuers/bad.pub", "{}")
        self.assert_ends(home.run("show", machine=machine), 78, "bad.pub")


@needs_root
class RemoteTest(DeviceTest):
    """A remote login puts the OTP on another machine's screen: 87, unless policy lifts it."""

    def under(self, name):
        """A shell named like a server of remote logins, that has the program as its descendant."""
        shell = pathlib.Path(WORK) / name
        if not shell.exists():
            shutil.copy("/bin/sh", shell)
        return [str(shell), "-c", '"$@"; exit $?', name]

    def test_a_variable_or_an_ancestor_tells_it(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        for name in ("sshd", "sshd-session", "dropbear", "mosh-server", "in.telnetd", "xrdp-sesman",
                     "Xvnc", "ttyd", "tailscaled", "waypipe"):
            with self.subTest(name):
                done = home.run("show", machine=machine, prefix=self.under(name))
                self.assert_ends(done, 87, "remote login")
        self.assertEqual(home.log(machine=machine)[-1]["event"], "refuse")
        for value in ("10.0.0.1 50000 10.0.0.2 22", "x", ""):
            self.assert_ends(home.run("show", machine=machine, changes={"SSH_CONNECTION": value}),
                             87)
        self.assertIs(home.status(machine=machine, prefix=self.under("sshd"))["remote"], True)
        self.assertIs(home.status(machine=machine)["remote"], False)
        # A name that only resembles one.
        self.assert_ends(home.run("show", answers=PIN, machine=machine, prefix=self.under("sshdx")),
                         0)

    def test_an_ancestor_farther_up_tells_it_too(self):
        home = Home()
        prefix = [*self.under("sshd"), *["/bin/sh", "-c", '"$@"; exit $?', "sh"] * 5]
        self.assert_ends(home.run("show", prefix=prefix), 87)
        cleared = ["env", "-u", "SSH_CONNECTION"]
        self.assert_ends(home.run("show", prefix=[*prefix, *cleared]), 87)

    def test_the_session_tells_it_where_no_ancestor_does(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        machine.write("cgroup", "0::/user.slice/user-0.slice/session-c7.scope\n")
        root = machine.root
        machine.extra = [f"mount --bind {root}/cgroup {root}/proc/$$/cgroup"]
        machine.write("run/systemd/sessions/c7", "UID=0\nREMOTE=0\nTYPE=tty\n")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write("run/systemd/sessions/c7", "UID=0\nREMOTE=1\nTYPE=tty\n")
        self.assert_ends(home.run("show", machine=machine), 87, "remote login")
        # A terminal session of its own, and no parent that started it.
        alone = ["setsid", "--wait", "/bin/sh", "-c", '("$@") & wait $!', "sh"]
        self.assert_ends(home.run("show", machine=machine, prefix=alone), 87)

    def test_the_desktop_tells_it_for_its_terminals(self):
        machine = self.machine()
        home = Home()
        home.activate(machine=machine)
        root = machine.root
        machine.write("cgroup", "0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n")
        machine.extra = [f"mount --bind {root}/cgroup {root}/proc/$$/cgroup"]
        machine.write("run/systemd/users/0", "NAME=root\nDISPLAY=c3\nSESSIONS=5 c3\n")
        machine.write("run/systemd/sessions/5", "UID=0\nREMOTE=1\nTYPE=tty\n")
        machine.write("run/systemd/sessions/c3", "UID=0\nREMOTE=0\nTYPE=wayland\n")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write("run/systemd/sessions/c3", "UID=0\nREMOTE=1\nTYPE=x11\n")
        self.assert_ends(home.run("show", machine=machine), 87, "remote login")

    def test_where_processes_are_hidden_logind_tells_it_or_it_is_refused(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        home.activate(machine=machine)
        root = machine.root
        hidden = [f"mount -t proc -o hidepid=2 none {root}/proc"]
        machine.extra = [*hidden, f"mount --bind {root}/boot_id {root}/proc/sys/kernel/random/boot_id"]
        self.assert_ends(home.run("show", machine=machine), 87, "can't be told")
        self.assertIsNone(home.status(machine=machine)["remote"])
        machine.write_policy('{"remote":true}')
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.clear_administration()
        machine.write("cgroup", "0::/user.slice/user-9.slice/session-c7.scope\n")
        machine.extra.append(f"mount --bind {root}/cgroup {root}/proc/$$/cgroup")
        machine.write("run/systemd/sessions/c7", "UID=9\nREMOTE=0\nTYPE=tty\n")
        self.assert_ends(home.run("show", answers=PIN, machine=machine), 0)
        machine.write("run/systemd/sessions/c7", "UID=9\nREMOTE=0\nTYPE=tty\n", mode=0o600)
        self.assert_ends(home.run("show", machine=machine), 87, "can't be told")

    def test_the_administrators_policy_allows_it(self):
        machine = self.machine()
        home = Home(user=ORDINARY)
        home.activate(machine=machine)
        ssh = {"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
        machine.write_policy('{"remote":false}')
        self.assert_ends(home.run("show", machine=machine, changes=ssh), 87)
        machine.write_policy('{"remote":true}')
        self.assert_ends(home.run("show", answers=PIN, machine=machine, changes=ssh), 0)

    def test_the_prescribing_device_stays_refused_when_remote_is_allowed(self):
        machine = self.machine()
        machine.write_policy('{"remote":true}')
        self.register(machine)
        self.assert_ends(Home().run("show", machine=machine, changes={"SSH_CONNECTION": "x"}), 80)


if __name__ == "__main__":
    unittest.main()
