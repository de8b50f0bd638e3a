"""A made-up machine: hardware as its firmware and its buses tell of it, run by QEMU.

The processor says nothing of a hypervisor, and the program runs in the kernel's first namespaces:
it reads /proc and /sys as on a laptop. There is no network behind the cards.
"""
import base64
import dataclasses
import json
import pathlib
import shlex
import socket
import subprocess
import threading
import time

from bench import Result

BOOT_SECONDS, RUN_SECONDS = 120, 180
MEBIBYTES = 768  # Argon2id takes 256


@dataclasses.dataclass(frozen=True)
class Hardware:
    """What can be told from one machine to another."""
    maker: str
    product: str
    uuid: str
    serial: str
    board: str
    chassis: str
    disk: str
    disk_model: str
    macs: tuple = ()
    # The serial of a second disk, or of the only one if `boots_nvme`. QEMU's NVMe disks say that
    # they are QEMU's, and count as none.
    nvme: str | None = None
    boots_nvme: bool = False
    processor: str = "max,-hypervisor"

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def firmware(self):
        board = f"type=2,manufacturer={self.maker},product=Board,serial={self.board}"
        return ["-smbios", "type=0,vendor=Phoenix,version=N3AET66W",
                "-smbios", f"type=1,manufacturer={self.maker},product={self.product},"
                f"uuid={self.uuid},serial={self.serial}",
                "-smbios", board,
                "-smbios", f"type=3,manufacturer={self.maker},serial={self.chassis}"]

    def disks(self):
        """The device of node `system`, and the second disk."""
        if self.boots_nvme:
            return ["-device", f"nvme,drive=system,serial={self.nvme}"]
        serial = f",serial={self.disk}" if self.disk else ""
        found = ["-device", f"ide-hd,drive=system,bus=ide.0,model={self.disk_model}{serial}"]
        if self.nvme:
            found += ["-blockdev", "driver=null-co,size=1048576,read-zeroes=on,node-name=second",
                      "-device", f"nvme,drive=second,serial={self.nvme}"]
        return found

    def cards(self):
        return [word for mac in self.macs for word in ("-device", f"e1000e,mac={mac},romfile=")]


class Emulator:
    """What all machines of a run have: kernel, initial RAM file system, accelerator, a folder."""

    def __init__(self, folder, parts):
        self.folder, self.wrapped_kernel = pathlib.Path(folder), parts.wrapped_kernel
        self.kernel, self.ram = self.folder / "vmlinux", self.folder / "initrd"
        self.kernel.write_bytes(parts.kernel())
        self.ram.write_bytes(parts.initial_ram())
        self.accelerator = "tcg"
        self.lock, self.number, self.machines = threading.Lock(), 0, []

    def next_name(self):
        with self.lock:
            self.number += 1
            return f"machine-{self.number}"

    def boot(self, hardware, system, words="", log=None, kernel=None, seconds=BOOT_SECONDS,
             chip=None):
        """Starts a machine and waits until its system answers. `words`: for the kernel; `log`: a
        file for every write and flush of the disk, in their order; `kernel`: another image; `chip`:
        its TPM."""
        machine = Machine(self, hardware, system, words, log, kernel or self.kernel, chip)
        self.machines.append(machine)
        machine.answer(seconds)
        return machine

    def end(self):
        """Ends what a story that failed left running."""
        for machine in self.machines:
            machine.cut()


class Machine:
    def __init__(self, emulator, hardware, system, words, log, kernel, chip=None):
        self.name = emulator.next_name()
        self.console = emulator.folder / f"{self.name}.console"
        self.port, other = socket.socketpair()
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
                   "-machine", "q35", "-accel", emulator.accelerator, "-cpu", hardware.processor,
                   "-m", str(MEBIBYTES), "-display", "none",
                   "-kernel", str(kernel), "-initrd", str(emulator.ram),
                   "-append", f"console=ttyS0 quiet panic=-1 root=UUID={system.uuid} {words}",
                   "-serial", f"file:{self.console}",
                   "-chardev", f"socket,id=agent,fd={other.fileno()}", "-serial", "chardev:agent",
                   *disk_nodes(system.image, log), *hardware.firmware(), *hardware.disks(),
                   *hardware.cards(), *(chip.plugged_in() if chip else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=(other.fileno(),))
        other.close()
        self.received = b""

    def line(self, seconds):
        """The next line from the machine; None if none comes, or the machine is off."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.received:
            if not self.receive(deadline):
                return None
        text, self.received = self.received.split(b"\n", 1)
        return text.decode("utf-8", "replace")

    def lines_until(self, deadline):
        """The lines that come until then, or a little later."""
        self.receive(deadline)
        *lines, self.received = self.received.split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def receive(self, deadline):
        self.port.settimeout(max(deadline - time.monotonic(), 0.0001))
        try:
            more = self.port.recv(65_536)
        except (TimeoutError, ConnectionResetError):
            return False
        self.received += more
        return bool(more)

    def answer(self, seconds=RUN_SECONDS):
        text = self.line(seconds)
        if text is None:
            raise AssertionError(f"{self.name} is silent: {self.last_words()}")
        return json.loads(text)

    def last_words(self):
        """What QEMU and the kernel said; ends the machine."""
        self.process.kill()
        said = self.process.stderr.read().decode("utf-8", "replace")
        if self.console.exists():
            said += self.console.read_text(errors="replace")[-600:]
        return said

    def send(self, script):
        self.port.sendall(base64.b64encode(script.encode()) + b"\n")

    def shell(self, script, seconds=RUN_SECONDS):
        """Runs a script as root in the machine."""
        self.send(script)
        answer = self.answer(seconds)
        out, err = (base64.b64decode(answer[name]).decode() for name in ("out", "err"))
        return Result(answer["code"], out, err)

    def run(self, *arguments, lines=(), user="ann"):
        """Runs the program off a terminal, as that user; `lines` are its standard input."""
        command = "softtoken " + " ".join(shlex.quote(argument) for argument in arguments)
        if user != "root":
            command = f"su {user} -c {shlex.quote(command)}"
        answers = "".join(shlex.quote(line + "\n") + " " for line in lines)
        return self.shell(f"printf %s {answers or repr('')} | {command}")

    def json(self, *arguments, user="ann"):
        result = self.run(*arguments, "--json", user=user)
        return json.loads(result.out)

    def off(self):
        """Shuts down in order."""
        self.send("sync; mount -o remount,ro /; poweroff -f")
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.cut()
        self.port.close()

    def cut(self):
        """Takes the power away: what the machine's memory held, its page cache too, is lost."""
        self.process.kill()
        self.process.wait()


def disk_nodes(image, log):
    """The node `system`. The host isn't cut, so the host needn't flush."""
    options = "driver=file,cache.no-flush=on"
    if log is None:
        return ["-blockdev", f"{options},filename={image},node-name=system"]
    return ["-blockdev", f"{options},filename={image},node-name=image",
            "-blockdev", f"{options},filename={log},node-name=log",
            "-blockdev", "driver=blklogwrites,file=image,log=log,node-name=system"]
