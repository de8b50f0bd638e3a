"""Stands in for /dev/tpmrm0: a pseudo-terminal that a mount namespace binds over it, with what the
kernel's resource manager does behind it, down to a software TPM. No option, variable or build of
another kind: the program under test knows the device alone.

Like the resource manager, it keeps each user's objects and sessions out of the chip between commands,
so that any number of users share the three places for each; gives objects handles of its own; and
flushes all that a user left when the device is closed. Each user has a terminal of its own, because
two who read from one would take each other's answers. Needs root.
"""
import ctypes
import os
import select
import termios
import threading
import time
import tty

from chip import (CONTEXT_LOAD, CONTEXT_SAVE, CREATE_PRIMARY, FLUSH, LOAD_EXTERNAL, START_SESSION, Wire,
                  command, command_code, number, refusal)

# /dev as it is, but for the chip. $1 is the folder that becomes /dev, $2 the terminal.
NAMESPACE = """set -e
dev=$1 chip=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs "$dev"
for name in null zero full random urandom tty ptmx; do
    [ ! -e /dev/$name ] || { : >"$dev/$name"; mount --bind /dev/$name "$dev/$name"; }
done
for name in pts shm; do mkdir "$dev/$name"; mount --rbind /dev/$name "$dev/$name"; done
ln -s /proc/self/fd "$dev/fd"
[ "$chip" = none ] || { : >"$dev/tpmrm0"; mount --bind "$chip" "$dev/tpmrm0"; }
mount --move "$dev" /dev
exec "$@"
"""
FIRST_OBJECT = 0x80FFFFFF  # the kernel counts down from here
LIBC = ctypes.CDLL(None, use_errno=True)
CLOSED_WRITABLE = 0x08  # IN_CLOSE_WRITE


class Space:
    """One user's objects and sessions, kept outside of the chip between commands."""

    def __init__(self, chip):
        self.chip, self.objects, self.sessions = chip, {}, {}
        self.flushed = []  # what its user left: the resource manager had to flush it

    def run(self, content):
        with self.chip.lock, Wire(self.chip.path) as wire:
            places = {own: load(wire, saved) for own, saved in self.objects.items()}
            for saved in self.sessions.values():
                load(wire, saved)
            answer = self.pass_on(wire, content, places)
            self.objects = {own: save(wire, place) for own, place in places.items()}
            for place in places.values():
                wire.send(command(FLUSH, place.to_bytes(4, "big")))
            self.sessions = {handle: save(wire, handle) for handle in self.sessions}
            return answer

    def pass_on(self, wire, content, places):
        code, first = command_code(content), number(content, 10)
        if first in places:
            content = content[:10] + places[first].to_bytes(4, "big") + content[14:]
        answer = wire.send(content)
        if number(answer, 6):
            return answer
        if code == START_SESSION:
            self.sessions[number(answer, 10)] = None
        if code in (CREATE_PRIMARY, LOAD_EXTERNAL):
            own = FIRST_OBJECT - len(places)
            places[own] = number(answer, 10)
            answer = answer[:10] + own.to_bytes(4, "big") + answer[14:]
        if code == FLUSH:
            self.sessions.pop(first, None)
            places.pop(first, None)
        return answer

    def close(self):
        """What is left goes; of an object only what was saved is there."""
        self.flushed += [*self.objects, *self.sessions]
        with self.chip.lock, Wire(self.chip.path) as wire:
            for handle in self.sessions:
                wire.send(command(FLUSH, handle.to_bytes(4, "big")))
        self.objects, self.sessions = {}, {}


def load(wire, saved):
    return number(done(wire.send(command(CONTEXT_LOAD, saved))), 10)


def save(wire, handle):
    return done(wire.send(command(CONTEXT_SAVE, handle.to_bytes(4, "big"))))[10:]


def done(answer):
    if number(answer, 6):
        raise AssertionError(f"the resource manager was refused: {number(answer, 6):x}")
    return answer


class Relay:
    """The device of one user, which may use it again and again, one program after the other.

    `meddle(command, pass_on)` answers in the chip's place: bytes, or None to break the device. What
    was asked stands in `commands`, in order.
    """

    def __init__(self, chip, meddle=None, owner=(0, 0), mode=0o600):
        self.chip, self.space, self.commands = chip, Space(chip), []
        self.meddle = meddle or (lambda content, pass_on: pass_on(content))
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        os.close(slave)
        os.chown(self.name, *owner)
        os.chmod(self.name, mode)
        self.closings = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        LIBC.inotify_add_watch(self.closings, self.name.encode(), CLOSED_WRITABLE)
        self.is_open, self.fault = True, None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def around(self):
        """What a command line begins with, so that it finds the device."""
        return in_namespace(self.chip, self.name)

    def close(self):
        """Waits until what its users left is flushed."""
        self.is_open = False
        self.thread.join()
        if self.fault:
            raise self.fault

    @property
    def flushed(self):
        return self.space.flushed

    def serve(self):
        try:
            while self.is_open and self.step():
                pass
            self.after_closing()
        except Exception as fault:  # noqa: BLE001: the test's thread tells of it
            self.fault = fault
        os.close(self.master)
        os.close(self.closings)

    def step(self):
        """One command, if there is one; whether the device still works."""
        if not select.select([self.master], [], [], 0.02)[0]:
            return True
        try:
            content = os.read(self.master, 4096)
        except OSError:  # nobody has it open
            self.after_closing()
            time.sleep(0.002)
            return True
        while len(content) < 10 or len(content) < number(content, 2):
            content += os.read(self.master, 4096)
        # Who wrote this may have opened it after another closed it.
        self.after_closing()
        self.commands.append(content)
        answer = self.meddle(content, self.space.run)
        if answer is None:
            return False
        os.write(self.master, answer)
        return True

    def after_closing(self):
        """Flushes what a user left who has closed the device since; an answer that it did not wait for,
        too."""
        try:
            os.read(self.closings, 4096)
        except BlockingIOError:
            return
        self.space.close()
        slave = os.open(self.name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        termios.tcflush(slave, termios.TCIFLUSH)
        os.close(slave)


def in_namespace(chip, device="none"):
    """A command line's beginning: /dev/tpmrm0 is this device, or isn't there."""
    folder = chip.folder / "dev"
    folder.mkdir(exist_ok=True)
    return ["unshare", "-m", "--propagation", "private", "--", "/bin/sh", "-c", NAMESPACE, "sh",
            str(folder), device]


# Ways to meddle.

def answers(code, when):
    """The chip is made to answer a code where `when(command)`."""
    return lambda content, pass_on: refusal(code) if when(content) else pass_on(content)


def alters(change, when):
    """An answer's bytes are changed on their way."""
    def meddle(content, pass_on):
        answer = pass_on(content)
        return change(answer) if when(content) else answer
    return meddle


def breaks(when, is_after=False):
    """The device breaks (EIO) before the chip hears of a command, or after it obeyed."""
    def meddle(content, pass_on):
        if not when(content):
            return pass_on(content)
        if is_after:
            pass_on(content)
        return None
    return meddle


def delays(seconds, when=lambda _: True):
    def meddle(content, pass_on):
        if when(content):
            time.sleep(seconds)
        return pass_on(content)
    return meddle


def nth(place, when=lambda _: True):
    """The command at a place, from 0, among those of a kind."""
    seen = [-1]

    def decide(content):
        seen[0] += when(content)
        return when(content) and seen[0] == place
    return decide


def is_command(code, index=None):
    """A command of a code; `index` 0 for a gate's, 1 for a share's."""
    return lambda content: command_code(content) == code and (
        index is None or number(content, 10) % 2 == index)


def flipped(place):
    """An answer with one bit flipped."""
    return lambda answer: answer[:place] + bytes([answer[place] ^ 1]) + answer[place + 1:]
