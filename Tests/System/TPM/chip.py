"""A software TPM of a test's own: its power, its state, the commands that look at it from outside, and
tpm2-tools as the computer's owner, who has every authority (all are empty).
"""
import atexit
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

FOLDER = tempfile.mkdtemp(prefix="softtoken-chips-")
RUNNING = set()


@atexit.register
def end_all():
    for process in RUNNING:
        process.kill()
    shutil.rmtree(FOLDER, ignore_errors=True)


# Command codes of TPM 2.0 Library, part 2, that tests name.
UNDEFINE, DEFINE, CREATE_PRIMARY, WRITE, POLICY_NV = 0x122, 0x12A, 0x131, 0x137, 0x149
READ, FLUSH, READ_PUBLIC, START_SESSION = 0x14E, 0x165, 0x169, 0x176
CONTEXT_LOAD, CONTEXT_SAVE, LOAD_EXTERNAL, GET_CAPABILITY = 0x161, 0x162, 0x167, 0x17A
NV, LOADED_SESSION, SAVED_SESSION, TRANSIENT = 0x01000000, 0x02000000, 0x03000000, 0x80000000
BAD_AUTH, CLOSED, NO_INDEX = 0x9A2, 0x12F, 0x18B


def number(content, start, count=4):
    return int.from_bytes(content[start:start + count], "big")


def command_code(command):
    return number(command, 6)


def command(code, body, tag=0x8001):
    content = code.to_bytes(4, "big") + body
    return tag.to_bytes(2, "big") + (6 + len(content)).to_bytes(4, "big") + content


def refusal(code):
    """The answer of a chip that refuses: a head, and nothing else."""
    return bytes.fromhex("80010000000a") + code.to_bytes(4, "big")


class Wire:
    """A connection to swtpm, which serves one at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)
        answer = b""
        while len(answer) < 10 or len(answer) < number(answer, 2):
            piece = self.socket.recv(4096)
            if not piece:
                raise OSError("the chip is off")
            answer += piece
        return answer


def wait_for(path):
    """Until somebody listens there: a socket is there before that."""
    for _ in range(1000):
        try:
            Wire(path).socket.close()
            return
        except OSError:
            time.sleep(0.005)
    raise AssertionError("swtpm did not start")


class Chip:
    """swtpm with its state in a folder. `lock` keeps a resource manager's steps together."""

    def __init__(self, like=None, is_on=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
        self.lock = threading.Lock()
        self.process = None
        if like:
            for file in like.folder.glob("tpm2-*.permall"):
                shutil.copy(file, self.folder)
        if is_on:
            self.on()

    @property
    def path(self):
        return str(self.folder / "socket")

    def on(self):
        # The TCTI of tpm2-tss looks for the control channel at PATH.ctrl.
        self.start("--server", f"type=unixio,path={self.path}",
                   "--flags", "not-need-init,startup-clear")

    def plugged_in(self):
        """QEMU's options for a machine that this chip belongs to: the machine has it to itself, and its
        firmware starts it. Of a machine that was cut, the chip is cut with it."""
        if self.process:
            self.off()
        self.start()
        return ["-chardev", f"socket,id=chip,path={self.path}.ctrl",
                "-tpmdev", "emulator,id=tpm,chardev=chip", "-device", "tpm-crb,tpmdev=tpm"]

    def start(self, *options):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}",
             "--ctrl", f"type=unixio,path={self.path}.ctrl", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        RUNNING.add(self.process)
        for path in (f"{self.path}.ctrl", *([self.path] if options else [])):
            wait_for(path)

    def off(self):
        """A power cut: no TPM2_Shutdown, and what its memory held is lost."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        RUNNING.discard(self.process)
        for path in (self.path, self.path + ".ctrl"):
            if os.path.exists(path):
                os.unlink(path)

    def drop(self):
        if self.process:
            self.off()
        shutil.rmtree(self.folder, ignore_errors=True)

    def copy(self):
        """Another chip with the same memory, as if the power had just been cut: so a chip is looked at
        without being changed."""
        with self.lock:
            return Chip(self)

    def state(self):
        """The bytes of its memory."""
        [file] = self.folder.glob("tpm2-*.permall")
        return file.read_bytes()

    def send(self, content):
        with self.lock, Wire(self.path) as wire:
            return wire.send(content)

    def handles(self, kind):
        """Which handles of a kind there are."""
        answer = self.send(command(GET_CAPABILITY, (1).to_bytes(4, "big")
                                   + kind.to_bytes(4, "big") + (254).to_bytes(4, "big")))
        count = number(answer, 15)
        found = [number(answer, 19 + 4 * index) for index in range(count)]
        return [handle for handle in found if handle >> 24 == kind >> 24]

    def indices(self):
        return self.handles(NV)

    def left(self):
        """Objects and sessions in it, by kind; empty where nobody left any."""
        kinds = {"objects": TRANSIENT, "sessions": LOADED_SESSION, "saved sessions": SAVED_SESSION}
        found = {name: self.handles(kind) for name, kind in kinds.items()}
        return {name: handles for name, handles in found.items() if handles}

    def public(self, index):
        """(public area, Name) of an index; None where there is none."""
        answer = self.send(command(READ_PUBLIC, index.to_bytes(4, "big")))
        if number(answer, 6):
            return None
        size = number(answer, 10, 2)
        return answer[12:12 + size], answer[14 + size:]

    def read(self, index, authorization, count):
        """(code, bytes): an index read with a password, and so counted as any other try is."""
        size = len(authorization).to_bytes(2, "big")
        session = bytes.fromhex("40000009000000") + size + authorization
        handle = index.to_bytes(4, "big")
        answer = self.send(command(
            READ, handle + handle + len(session).to_bytes(4, "big") + session
            + count.to_bytes(2, "big") + bytes(2), tag=0x8002))
        code = number(answer, 6)
        return code, b"" if code else answer[16:16 + number(answer, 14, 2)]

    def tool(self, *words, given=b""):
        """tpm2-tools' answer: the chip's code, or 0. Output and error text beside it."""
        with self.lock:
            done = subprocess.run(
                words, input=given, capture_output=True, cwd=self.folder, timeout=60,
                env={"PATH": os.environ["PATH"], "TSS2_LOG": "all+ERROR",
                     "TPM2TOOLS_TCTI": f"swtpm:path={self.path}"})
        said = done.stderr.decode(errors="replace")
        code = re.search(r"ErrorCode \(0x0*([0-9a-fA-F]+)\)", said)
        if done.returncode and not code:
            raise AssertionError(f"{words}: {said}")
        return int(code[1], 16) if done.returncode else 0
