"""A disk that is really full, and folders that can't be written, with the right PIN many times over:
no attempt is spent. Part of sweep.py. Needs root for the mounts, which a namespace of its own keeps."""
import os
import subprocess

from bench import PIN, PROGRAM, Home, WRONG_PIN
from reader import log_entries

SHOW = ["show", "Clinic", "--once"]


class Disk:
    """A small tmpfs over a home."""

    def __init__(self, source, size):
        self.home = Home()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs",
                        str(self.home.home)], check=True)
        subprocess.run(["cp", "-a", f"{source.home}/.", str(self.home.home)], check=True)

    def fill(self, sparing=0):
        """Fills the disk to its last byte but `sparing`."""
        path = self.home.home / "filler"
        with open(path, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        if sparing:
            os.truncate(path, max(0, path.stat().st_size - sparing))

    def remount(self, mode):
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.home.home)], check=True)

    def empty(self):
        (self.home.home / "filler").unlink()

    def drop(self):
        subprocess.run(["umount", str(self.home.home)], check=False)


def run(score, homes, repeats):
    for size in ("64k", "128k", "256k"):
        for sparing in (0, 4096, 8192, 12288, 16384):
            score.attempt(f"full disk {size}, {sparing} bytes free",
                          lambda: full(homes.two, size, sparing, repeats))
    score.attempt("read-only disk", lambda: read_only(homes.two, repeats))
    score.attempt("full disk, wrong PIN", lambda: full_wrong(homes.two))
    for folder in ("share", "state"):
        score.attempt(f"read-only {folder} folder, ordinary user",
                      lambda: read_only_folder(homes.two, folder, repeats))


def full(source, size, sparing, repeats):
    disk = Disk(source, size)
    try:
        disk.fill(sparing)
        problems = many_right(disk.home, repeats)
        disk.empty()
        return problems + afterwards(disk.home)
    finally:
        disk.drop()


def many_right(home, repeats):
    problems, before = [], home.attempts()
    for _ in range(repeats):
        result = home.run(*SHOW, lines=[PIN])
        if result.code not in (0, 73, 74) or (result.code and len(result.errors) != 1):
            problems.append(f"unclear: {result}")
        if home.attempts()["count"] != before["count"]:
            problems.append(f"count {home.attempts()['count']} ({result})")
        if home.attempts()["lost"]:
            problems.append("an attempt record is lost")
    result = home.run("show", "Counter", "--once", lines=[PIN])
    if result.code not in (0, 73, 74):
        problems.append(f"HOTP: {result}")
    return problems


def afterwards(home):
    """With space again everything goes on."""
    problems = []
    result = home.run(*SHOW, lines=[PIN])
    if result.code != 0:
        problems.append(f"with space again: {result}")
    if home.leftovers():
        problems.append(f"left: {home.leftovers()}")
    verified = home.run("log", "--verify")
    if verified.code != 0:
        problems.append(f"log --verify: {verified}")
    return problems


def full_wrong(source):
    """A wrong PIN on a full disk is no free try: either it is counted or it is not tried."""
    disk, problems = Disk(source, "128k"), []
    try:
        for sparing in (0, 4096, 8192, 12288):
            disk.fill(sparing)
            before = disk.home.attempts()["count"]
            result = disk.home.run(*SHOW, lines=[WRONG_PIN])
            count = disk.home.attempts()["count"]
            if (result.code, count) not in (
                    (73, before), (74, before), (77, before + 1), (83, before + 1)):
                problems.append(f"{sparing} free: count {before} to {count}, {result}")
            last = log_entries(disk.home)[-1]
            if result.code == 77 and last["event"] != "unlock":
                problems.append(f"{sparing} free: a wrong PIN that the log says nothing of")
            disk.empty()
            if count:
                disk.home.must(*SHOW, lines=[PIN])
        return problems
    finally:
        disk.drop()


def read_only(source, repeats):
    disk = Disk(source, "256k")
    try:
        disk.remount("ro")
        problems = many_right(disk.home, repeats)
        disk.remount("rw")
        return problems + afterwards(disk.home)
    finally:
        disk.drop()


def read_only_folder(source, folder, repeats):
    """As an ordinary user, whose folder's mode forbids writing."""
    home, user, problems = source.copy(), 65_533, []
    for path in [home.home, *home.home.rglob("*")]:
        os.chown(path, user, user)
    os.chmod(os.path.dirname(str(home.home)), 0o755)
    locked = home.home / ".local" / folder / "softtoken"
    around = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
    if not os.access(PROGRAM, os.X_OK):
        return [f"{PROGRAM} can't be run by others"]
    try:
        locked.chmod(0o500)
        before = home.attempts()
        for _ in range(repeats):
            result = home.run(*SHOW, lines=[PIN], around=around)
            if result.code not in (73, 74) or len(result.errors) != 1:
                problems.append(f"unclear: {result}")
        if home.attempts()["count"] != before["count"]:
            problems.append(f"count {home.attempts()['count']}")
        locked.chmod(0o700)
        result = home.run(*SHOW, lines=[PIN], around=around)
        if result.code != 0:
            problems.append(f"writable again: {result}")
        return problems
    finally:
        home.drop()
