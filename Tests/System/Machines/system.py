"""A system installed on a disk: an image with a partition and an ext4 file system with busybox, the
release program, a user `ann`, and a machine-id and a UUID of its own.
"""
import pathlib
import secrets
import shutil
import struct
import subprocess
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
START, SIZE = 1 << 20, 64 << 20  # of the partition, in bytes
PASSWD = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"


class System:
    """An installed system, and the image that holds it."""

    def __init__(self, image, file_system_uuid):
        self.image, self.uuid = pathlib.Path(image), file_system_uuid

    @classmethod
    def install(cls, image, busybox, program):
        """A new system, with what an installer draws: a machine-id and a file system's UUID."""
        system = cls(image, str(uuid.uuid4()))
        with tempfile.TemporaryDirectory() as folder:
            fill(pathlib.Path(folder), busybox, program)
            with open(image, "wb") as file:
                file.write(partition_table())
                file.truncate(START + SIZE)
            subprocess.run(
                ["/sbin/mke2fs", "-q", "-t", "ext4", "-U", system.uuid, "-d", folder,
                 "-E", f"offset={START},root_owner=0:0", str(image), f"{SIZE >> 10}k"],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return system

    def cloned(self, image):
        """The same, bit by bit, on another disk."""
        copy_image(self.image, image)
        return System(image, self.uuid)

    def renew_uuid(self):
        """Another UUID for the same file system."""
        self.uuid = str(uuid.uuid4())
        with open(self.image, "r+b") as disk, tempfile.NamedTemporaryFile() as file:
            disk.seek(START)
            file.write(disk.read())
            file.flush()
            # tune2fs wants a file system that was just looked through.
            for command in (["e2fsck", "-f", "-y"], ["tune2fs", "-U", self.uuid]):
                done = subprocess.run([f"/sbin/{command[0]}", *command[1:], file.name],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
            disk.seek(START)
            disk.write(pathlib.Path(file.name).read_bytes())


def fill(folder, busybox, program):
    for name in ("bin", "dev", "etc", "home/ann", "proc", "root", "run", "sbin", "sys", "tmp",
                 "usr/local/bin"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    shutil.copy(busybox, folder / "bin/busybox")
    shutil.copy(program, folder / "usr/local/bin/softtoken")
    shutil.copy(HERE / "guest/agent", folder / "sbin/init")
    for name in ("bin/busybox", "usr/local/bin/softtoken", "sbin/init"):
        (folder / name).chmod(0o755)
    (folder / "etc/machine-id").write_text(secrets.token_hex(16) + "\n")
    (folder / "etc/passwd").write_text(PASSWD)
    (folder / "etc/group").write_text("root:x:0:\nann:x:1000:\n")


def partition_table():
    """A master boot record with one partition."""
    entry = struct.pack("<8sII", b"\0\0\2\0\x83\0\2\0", START >> 9, SIZE >> 9)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def copy_image(source, target):
    """Holes stay holes."""
    subprocess.run(["cp", "--sparse=always", str(source), str(target)], check=True)
