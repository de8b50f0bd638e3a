"""Made-up machines on one real one: a root folder, an /etc and a /sys of their own, entered by a
mount and a UTS namespace and chroot. Needs root; leaves nothing behind.
"""
import os
import pathlib
import secrets
import shlex
import shutil
import tempfile

import program

LAPTOP = {"product_uuid": "4c4c4544-0042-3510-804a-b4c04f4d3232", "product_serial": "PF3XK9Q1",
          "board_serial": "L1HF2AB00QX", "chassis_serial": "PF3XK9Q1",
          "sys_vendor": "LENOVO", "product_name": "21CB"}
OTHER_LAPTOP = {"product_uuid": "9d2c1f60-77aa-4e1b-b0c3-5f0e2d1c4b3a",
                "product_serial": "5CG1234XYZ", "board_serial": "PKRTB0E8JDK01A",
                "chassis_serial": "5CG1234XYZ", "sys_vendor": "HP", "product_name": "ProBook"}


class Machine:
    """A machine: its identifiers, and the files of its administrator."""

    def __init__(self, machine_id=None, boot_id=None, dmi=LAPTOP, container=False):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="machine-", dir=program.WORK))
        self.root.chmod(0o755)
        for folder in ("proc", "dev", "tmp", "etc", "run", "sys/devices/system/cpu",
                       "sys/class/net", "sys/block", "sys/class/dmi/id"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "sys/devices/system/cpu/modalias").write_text("cpu:type:x86,feature:,0000\n")
        self.machine_id = secrets.token_hex(16) if machine_id is None else machine_id
        self.write("etc/machine-id", self.machine_id + "\n")
        self.boot_id = boot_id
        if boot_id is not None:
            self.write("boot_id", boot_id + "\n")
        self.set_dmi(dmi)
        if container:
            self.write(".dockerenv", "")
        self.extra = []  # more shell commands, run before the program
        self.unshared = ["-m", "-u"]

    def set_dmi(self, dmi):
        folder = self.root / "sys/class/dmi/id"
        for old in folder.iterdir():
            old.unlink()
        for name, text in dmi.items():
            (folder / name).write_text(text + "\n")
            # As on a real machine: serials are root's to read.
            (folder / name).chmod(0o444 if name in ("sys_vendor", "product_name") else 0o400)
        if not dmi:
            folder.rmdir()

    def write(self, path, text, mode=0o644):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def write_policy(self, text):
        return self.write("etc/softtoken/policy.json", text)

    def clear_administration(self):
        shutil.rmtree(self.root / "etc/softtoken", ignore_errors=True)

    @property
    def marker(self):
        return self.root / "etc/softtoken/prescribing-device"

    def command(self, arguments, user=None):
        """Enters the machine and runs the program there. /tmp is the real one: homes lie there."""
        root = shlex.quote(str(self.root))
        steps = ["set -e", "hostname made-up"]
        steps += [f"mount --rbind /{name} {root}/{name}" for name in ("proc", "dev", "tmp")]
        if self.boot_id is not None:
            steps.append(f"mount --bind {root}/boot_id {root}/proc/sys/kernel/random/boot_id")
        steps += self.extra
        spec = f"--userspec={user}:{user} --groups= " if user is not None else ""
        steps.append(f'exec chroot {spec}{root} "$@"')
        return ["unshare", *self.unshared, "--propagation", "private", "--", "/bin/sh", "-c",
                "\n".join(steps), "sh", program.PROGRAM, *arguments]

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


def new_boot_id():
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
