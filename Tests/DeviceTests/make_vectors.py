#!/usr/bin/env python3
"""Writes Vectors/*.txt from Sources/Device/FORMAT.md §4 alone, without the product's code.

A file's lines are NAME VALUE. `layer` is `accepted`, or the error that must reject the record;
`text` is the record, in hexadecimal so that any byte can stand there. Accepted ones tell what must
come out: label (hexadecimal UTF-8), salt, and one `entry KIND HASH` each; `identifier KIND BYTES`
are those that the entries were made from.
"""
import base64
import hashlib
import os
import pathlib
import struct

HERE = pathlib.Path(__file__).parent / "Vectors"
PREFIX = b"softtoken:prescribing#"
SALT = bytes(range(0x10, 0x20))
KINDS = {1, 2, 4, 5, 6, 7, 8, 9, 10, 11}
LAPTOP = [
    (1, bytes.fromhex("0123456789abcdeffedcba9876543210")),
    (2, bytes.fromhex("87448fb7a04c4056bc4fc2bebab924fb")),
    (4, bytes.fromhex("4c4c45440042351080 4ab4c04f4d3232".replace(" ", ""))),
    (5, b"PF3XK9Q1"),
    (6, b"L1HF2AB00QX"),
    (7, b"PF3XK9Q1"),
    (8, b"S6XNNF0T123456"),
    (8, b"WD-WX21A1234567"),
    (9, b"3f1b5c6e-8e3d-4f2a-9c1b-7d6e5f4a3b2c"),
    (11, bytes.fromhex("a44cc8112233")),
]


def entry(kind, identifier, salt=SALT):
    body = bytes([kind]) + identifier
    return bytes([kind]) + hashlib.blake2b(body, digest_size=32, key=salt).digest()[:16]


def sealed(body):
    return body + hashlib.blake2b(body, digest_size=32).digest()[:4]


def binary(entries, label=b"front desk", salt=SALT, version=1, count=None, extra=b""):
    body = struct.pack("BB", version, len(label)) + label + salt
    body += bytes([len(entries) if count is None else count]) + b"".join(entries) + extra
    return sealed(body)


def text(data):
    return PREFIX + base64.urlsafe_b64encode(data).rstrip(b"=")


def write(name, layer, record, note, lines=()):
    out = [f"# {note}", f"layer {layer}", f"text {record.hex()}", *lines]
    (HERE / f"{name}.txt").write_text("\n".join(out) + "\n")


def accept(name, note, identifiers, label, entries=None):
    """Without `entries` the record is one that a device makes of these identifiers."""
    made = entries is None
    if made:
        entries = sorted(set(entry(k, i) for k, i in identifiers))
    lines = [f"label {label.hex()}", f"salt {SALT.hex()}", f"made {'00' if not made else '01'}"]
    # Other kinds never match: they are no entries for who compares.
    lines += [f"entry {e[0]} {e[1:].hex()}" for e in entries if e[0] in KINDS]
    lines += [f"identifier {k} {i.hex()}" for k, i in identifiers]
    write(name, "accepted", text(binary(entries, label)), note, lines)


def main():
    HERE.mkdir(exist_ok=True)
    for old in HERE.glob("*.txt"):
        os.unlink(old)
    good = sorted(entry(k, i) for k, i in LAPTOP)
    record = text(binary(good))
    accept("laptop", "a laptop with two disks", LAPTOP, b"front desk")
    accept("no-label", "an empty label", LAPTOP[:1], b"")
    accept("label-64", "a label of 64 bytes, outside ASCII", LAPTOP[:3], "ä".encode() * 32)
    accept("tpm", "an endorsement key", [(10, b"\x00\x0b" + bytes(range(32)))], b"x")

    many = sorted(entry(8, b"DISK%04d" % n) for n in range(90))
    assert len(text(binary(many, b""))) == 2093
    write("too-long", "tooLong", text(binary(many, b"")), "2,093 bytes of text")
    write("not-a-record", "notARecord", record.replace(b"softtoken", b"SoftToken", 1),
          "the prefix in another case")
    write("not-a-record-space", "notARecord", b" " + record, "a space before it")
    write("not-a-record-request", "notARecord", record.replace(b"prescribing", b"request"),
          "an enrolment request's prefix")
    write("base64-standard", "malformedBase64", record[:-2] + b"+/", "the other alphabet")
    # 16 + 1 + 2 + 17 + 4 = 40 bytes: 54 characters and two of padding.
    short = binary(good[:1], b"")
    padded = PREFIX + base64.urlsafe_b64encode(short)
    assert padded.endswith(b"==")
    write("base64-padding", "malformedBase64", padded, "padding")
    write("base64-newline", "malformedBase64", record + b"\n", "a line feed after it")
    write("base64-length", "malformedBase64", text(short[:39]) + b"A", "a length of 4k+1")
    last = text(short)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    write("base64-unused-bits", "malformedBase64",
          last[:-1] + bytes([alphabet[alphabet.index(last[-1]) | 1]]), "a second spelling")
    write("cut", "cut", text(sealed(b"\x01\x00" + SALT)), "fewer than 23 bytes")
    write("cut-empty", "cut", PREFIX, "nothing after the prefix")
    write("version", "unknownVersion", text(binary(good, version=2)), "version 2")
    write("checksum", "damaged", text(binary(good)[:-1] + b"\x00"), "a wrong checksum")
    write("label-long", "unacceptableLabel", text(binary(good, b"a" * 65)), "65 bytes")
    write("label-utf8", "unacceptableLabel", text(binary(good, b"\xc0\x80")), "not UTF-8")
    write("label-control", "unacceptableLabel", text(binary(good, b"a\x1b[2J")),
          "an escape sequence")
    write("label-bidi", "unacceptableLabel", text(binary(good, "a\u202eb".encode())),
          "a bidirectional control")
    write("cut-label", "cut", text(sealed(b"\x01\x40" + SALT + b"\x01" + b"a" * 30)),
          "a label's length that leads past the end")
    write("cut-entries", "cut", text(binary(good, count=len(good) + 1)),
          "a number of entries that leads past the end")
    write("no-entries", "noEntries", text(binary([])), "nothing to compare with")
    write("trailing", "trailingBytes", text(binary(good, extra=b"\x00")), "a byte too many")
    write("trailing-entry", "trailingBytes", text(binary(good, count=len(good) - 1)),
          "an entry too many")
    for kind in (0, 3, 12, 255):
        accept(f"unknown-kind-{kind}", f"kind {kind} beside a machine-id", LAPTOP[:1], b"",
               sorted([entry(kind, b"x" * 16), entry(*LAPTOP[0])]))
    accept("unknown-kind-alone", "nothing that can be compared", [], b"", [entry(12, b"x" * 16)])
    accept("unsorted", "the greatest first", LAPTOP, b"front desk", good[::-1])
    disks = [(8, b"AAAA"), (8, b"BBBB")]
    accept("unsorted-hash", "one kind, its hashes the wrong way round", disks, b"",
           sorted((entry(*d) for d in disks), reverse=True))
    accept("duplicate", "an entry twice", LAPTOP[:1], b"", [entry(*LAPTOP[0])] * 2)


main()
