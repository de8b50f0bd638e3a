"""Another machine made up inside of a user namespace, by whoever started it: no privilege is needed.

usage: forge.py HOW[,KERNEL|,FILTER] FOLDER PROGRAM [ARGUMENT...]

Descriptors of the first namespaces are opened before the way in, and bound over a tmpfs where the
program looks for its own; uid_map, boot_id, machine-id, the processor's features and a disk's serial
are made up, the marker and the administrator's files hidden. HOW is what is forged besides:
`nothing`, `proc` (a whole /proc of plain files), or `ancestors` (another process in place of each). KERNEL is what the
kernel is made to lack: `6.10` the answer to a pidfd, `5.5` openat2 besides; or FILTER, what its user's
own filter of system calls answers (filtered.py).
"""
import ctypes
import os
import pathlib
import secrets
import sys

import filtered

OLDER = {"6.10": ["pidfd_open=38"], "5.5": ["pidfd_open=38", "openat2=38"]}

libc = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
NEW_USER, NEW_MOUNT = 0x10000000, 0x20000


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags):
    names = [text.encode() if text else None for text in (source, target, kind)]
    checked(libc.mount(*names, flags, None), f"mount {source} {target}")


def bind(source, target):
    mount(str(source), str(target), None, MS_BIND)


class Forgery:
    def __init__(self, folder, links):
        self.links = links
        self.process = os.getpid()
        self.first = {kind: os.open(f"/proc/self/ns/{kind}", os.O_RDONLY)
                      for kind in ("user", "pid", "time")}
        self.enter()
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        mount("tmpfs", str(self.folder), "tmpfs", 0)

    def enter(self):
        user, group = os.getuid(), os.getgid()
        checked(libc.unshare(NEW_USER | NEW_MOUNT), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text)

    def file(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def replace(self, path, text):
        bind(self.file(path.strip("/").replace("/", "-"), text), path)

    def hide(self, path):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", 0)

    def root(self):
        """A root folder with all that stands in the real one, but no sign of a container."""
        root = self.folder / "root"
        for entry in pathlib.Path("/").iterdir():
            inside = root / entry.name
            if entry.is_symlink():
                inside.symlink_to(entry.readlink())
            elif entry.is_dir():
                inside.mkdir(parents=True)
                mount(str(entry), str(inside), None, MS_BIND | MS_REC)
        os.chroot(root)
        os.chdir("/")

    def machine(self):
        self.replace("/etc/machine-id", "0123456789abcdeffedcba9876543210\n")
        self.hide("/etc/softtoken")
        self.replace("/sys/devices/system/cpu/modalias", "cpu:type:x86,feature:,0000\n")
        mount("tmpfs", "/sys/class", "tmpfs", 0)
        disk = pathlib.Path("/sys/class/nvme/made-up")
        disk.mkdir(parents=True)
        for name, text in (("transport", "pcie"), ("model", "Disk"), ("serial", "S6XNNF0T12")):
            (disk / name).write_text(text + "\n")
        (disk.parent / "nvme0").symlink_to("made-up")

    def namespaces(self, folder):
        if self.links:
            for kind, descriptor in self.first.items():
                (folder / kind).symlink_to(os.readlink(f"/proc/self/fd/{descriptor}"))
            return
        for kind, descriptor in self.first.items():
            (folder / kind).touch()
            bind(f"/proc/self/fd/{descriptor}", folder / kind)
        # The first mount namespace can't be bound here; any one will do.
        (folder / "mnt").symlink_to(f"/proc/self/task/{self.process}/ns/mnt")

    def process_files(self):
        own = f"/proc/{self.process}"
        self.replace(f"{own}/uid_map", "         0          0 4294967295\n")
        self.replace("/proc/sys/kernel/random/boot_id", boot_id() + "\n")
        mount("tmpfs", f"{own}/ns", "tmpfs", 0)
        self.namespaces(pathlib.Path(f"{own}/ns"))

    def ancestors(self):
        """Whoever is above becomes a process of the machine's own."""
        above = os.getppid()
        while above > 1:
            parent = pathlib.Path(f"/proc/{above}/stat").read_text().rsplit(")", 1)[1].split()[1]
            self.replace(f"/proc/{above}/stat", f"{above} (bash) S 1 1 1 0 -1 0\n")
            above = int(parent)

    def whole_proc(self, program):
        """No file of the kernel's stands in /proc any more."""
        made = self.folder / "proc"
        made.mkdir()
        mount("tmpfs", str(made), "tmpfs", 0)  # whose root is inode 1, and root's, as procfs's is
        own = made / "self"
        (own / "ns").mkdir(parents=True)
        (made / "sys/kernel/random").mkdir(parents=True)
        self.namespaces(own / "ns")
        real = self.folder / "real"
        real.mkdir()
        mount("/proc", str(real), None, MS_BIND | MS_REC)
        (own / "ns/mnt").unlink(missing_ok=True)
        (own / "ns/mnt").symlink_to(real / str(self.process) / "ns/mnt")
        texts = {"self/uid_map": "         0          0 4294967295\n",
                 "self/timens_offsets": "monotonic 0 0\nboottime 0 0\n",
                 "self/mountinfo": "27 1 254:1 / / rw - ext4 /dev/vda rw\n",
                 "self/stat": "9 (softtoken) R 1 1 1 0 -1\n", "1/stat": "1 (init) S 0 1 1 0 -1\n",
                 "sys/kernel/osrelease": "6.12.9-amd64\n",
                 "sys/kernel/random/boot_id": boot_id() + "\n"}
        for name, text in texts.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text)
        (made / str(self.process)).symlink_to("self")
        (own / "exe").symlink_to(program)  # Swift's runtime looks for itself
        mount(str(made), "/proc", None, MS_BIND | MS_REC)


def boot_id():
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def main():
    how, folder, *command = sys.argv[1:]
    how, _, kernel = how.partition(",")
    # What an older kernel is asked by is a link.
    forgery = Forgery(folder, links=kernel in OLDER)
    forgery.root()
    forgery.machine()
    if how == "proc":
        forgery.whole_proc(command[0])
    else:
        forgery.process_files()
    if how == "ancestors":
        forgery.ancestors()
    filtered.refuse(OLDER.get(kernel) or kernel.split(",") if kernel else [])
    os.execv(command[0], command)


main()
