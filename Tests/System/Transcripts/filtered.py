"""Runs a program under a filter of system calls of the caller's own, as any user can: no privilege, no
namespace, no supervisor.

usage: filtered.py CALL[:INDEX:VALUE]=ERRNO[,…] PROGRAM [ARGUMENT...]

Each CALL (a number, or a name of CALLS) gets ERRNO in the kernel's place, or with 0 a success that did
nothing; with INDEX and VALUE only where that argument, counted from 0, is that number.
"""
import ctypes
import os
import platform
import struct
import sys

CALLS = {"openat2": 437, "pidfd_open": 434, "landlock_restrict_self": 446,
         **({"ioctl": 29, "prctl": 167, "seccomp": 277, "openat": 56}
            if platform.machine() == "aarch64" else
            {"ioctl": 16, "prctl": 157, "seccomp": 317, "openat": 257})}

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, ARGUMENTS = 0, 16
ALLOW, ERROR = 0x7FFF0000, 0x00050000


def step(code, value, skipped=0):
    return struct.pack("HBBI", code, 0, skipped, value)


def answer(rule):
    """The steps of one rule, which leave the call's number loaded where it doesn't fit."""
    call, error = rule.split("=")
    call, *argument = call.split(":")
    number = CALLS.get(call) or int(call, 0)
    wrong = step(RETURN, ERROR | int(error))
    if not argument:
        return [step(EQUAL, number, 1), wrong]
    index, value = argument
    return [step(EQUAL, number, 4), step(LOAD, ARGUMENTS + 8 * int(index)),
            step(EQUAL, int(value, 0), 1), wrong, step(LOAD, NUMBER)]


def refuse(rules):
    libc = ctypes.CDLL(None, use_errno=True)
    steps = [step(LOAD, NUMBER), *(part for rule in rules for part in answer(rule)),
             step(RETURN, ALLOW)]
    program = ctypes.create_string_buffer(b"".join(steps))
    header = struct.pack("HP", len(steps), ctypes.addressof(program))
    for arguments in ((38, 1, 0, 0, 0), (22, 2, header, 0, 0)):  # no new privileges, the filter
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "filter")


if __name__ == "__main__":
    refuse(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
