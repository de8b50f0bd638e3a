#!/usr/bin/python3
"""Writes Sources/SelfTest/SampleLinks.swift: the two links that `softtoken selftest` activates, by an
issuer that shares no code with the program. The same each time.

    /usr/bin/python3 Tests/System/SelfTest/make_links.py
"""
import hashlib
import os
import pathlib
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests/System/Transcripts"))
import links  # noqa: E402

CODE = "SE1FT-EST00"
SEED = b"ABCDEFGHIJKLMNOPQRST"
NAME = "SoftToken selftest"
drawn = 0


def draw(size):
    """In place of randomness: nothing that these links guard is a secret."""
    global drawn
    drawn += 1
    return hashlib.blake2b(f"{NAME} {drawn}".encode(), digest_size=size).digest()


def literal(text):
    lines = textwrap.wrap(text, 80)
    return " +\n".join(f'        "{line}"' for line in lines).replace(" +\n", "\n        +").replace(
        '\n        +        "', '\n        + "')


def main():
    os.urandom = draw
    issuer = links.Issuer(NAME)
    made = []
    for serial, more in (("SELFTEST-10", {}), ("SELFTEST-3", {"policy": {"attempts": 3}})):
        made.append(issuer.link(seed=SEED, code=CODE, st={"serial": serial, **more},
                                sub="selftest@softtoken.example", iat=1735689600,
                                exp=4102444800))
    (ROOT / "Sources/SelfTest/SampleLinks.swift").write_text(f'''\
// Written by Tests/System/SelfTest/make_links.py: two signed links of an issuer made up for the
// self-test. Their seed and their code are no secret; nobody accepts their OTPs.

/// What is activated in the throw-away folders.
enum SampleLink {{
    static let fingerprint = "{issuer.fingerprint}"
    static let code = "{CODE}"
    static let seed = Array("{SEED.decode()}".utf8)
    static let seedBase32 = "{links.base64.b32encode(SEED).decode()}"
    static let words = ["selftest@softtoken.example", "SELFTEST-", "Selftest token"]
    /// Ten attempts.
    static let ten =
{literal(made[0])}
    /// Three attempts, as its policy says.
    static let three =
{literal(made[1])}
}}
''')


if __name__ == "__main__":
    main()
