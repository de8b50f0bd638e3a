#!/usr/bin/python3
"""What a static program embeds, read from its linker's map: components, versions, licences, notices.

    .ci/embedded.py DIR    writes the notices of both programs, as .ci/build-release left them, into DIR

An archive whose licence is not argued here ends the build: nothing gets in unread.
"""
import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build-release"
PROGRAMS = ("softtoken", "softtoken-issuer")

SWIFT_LICENCE = "Apache-2.0 WITH Swift-exception"
# A Debian source package, and the licence under which it is taken where it offers several.
LICENCES = {
    "glibc": "LGPL-2.1-or-later",
    "gcc": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gmp": "LGPL-3.0-or-later",
    "nettle": "LGPL-3.0-or-later",
    "libsodium": "ISC",
    "expat": "MIT",
    "sqlite3": "blessing",
}
HEAD = """What {program} {version} embeds, and under which licences
=========================================================================

{program} is one static file. SoftToken itself is under the Apache License 2.0; these
libraries are inside of it:

{table}

The GNU C library, and nettle and gmp where they are listed, are under the GNU Lesser General
Public License. It lets a program embed them if whoever gets the program can change the
library and link the program with it again. How that is met here:

- SoftToken's whole source is published under the Apache License 2.0, with the script that
  links it (.ci/build-release). On Debian with these packages and Swift of this version it gives
  the same bytes (.ci/package --check-reproducible); with a changed libc.a, libnettle.a or libgmp.a in the place of
  Debian's it links a program with that library in it.
- The libraries are Debian's own, unchanged. Their complete source, at exactly these versions,
  is what `apt-get source PACKAGE=VERSION` and https://snapshot.debian.org give. Who passes
  this program on to others has to see to it that they can have that source.
- Nothing in SoftToken's licence forbids to change the program for one's own use or to take it
  apart to debug such changes.

libgcc and libstdc++ are under the GPL with the GCC Runtime Library Exception, and Swift's
runtime under the Apache License 2.0 with the Runtime Library Exception; both exceptions allow
a program that was compiled with them to embed them.

The texts of the GNU licences: /usr/share/common-licenses on Debian, licences/ in the tar.
"""


class Component:
    """A library inside of a program."""

    def __init__(self, name, version, licence, source, notice):
        self.name, self.version, self.licence = name, version, licence
        self.source, self.notice = source, notice


def _output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@functools.cache
def _debian(archive):
    """The Debian source package that an archive is from; nil for what no package owns."""
    owner = subprocess.run(["dpkg", "-S", archive], capture_output=True, text=True)
    if owner.returncode != 0:
        return None
    package = owner.stdout.split(": ")[0]
    source, version = _output(
        "dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package).split()
    # Debian has a source package for each of gcc's versions.
    licence = LICENCES.get(re.sub(r"^gcc-\d+$", "gcc", source))
    if licence is None:
        sys.exit(f"{archive}: the licence of {source} is not argued in .ci/embedded.py")
    notice = pathlib.Path("/usr/share/doc", package.split(":")[0], "copyright").read_text()
    return Component(source, version, licence, f"pkg:deb/debian/{source}@{version}", notice)


@functools.cache
def _swift():
    version = re.search(r"Swift version (\S+)", _output("swift", "--version"))[1]
    root = pathlib.Path(_output("bash", "-c", "readlink -f \"$(command -v swift)\"").strip()).parents[1]
    notice = (root / "share/swift/LICENSE.txt").read_text()
    return root, Component("swift", version, SWIFT_LICENCE,
                           f"pkg:github/swiftlang/swift@swift-{version}-RELEASE", notice)


@functools.cache
def _argument_parser():
    version = re.search(r'swift-argument-parser", exact: "([\d.]+)"',
                        (ROOT / "Package.swift").read_text())[1]
    notice = (BUILD / "checkouts/swift-argument-parser/LICENSE.txt").read_text()
    return Component("swift-argument-parser", version, SWIFT_LICENCE,
                     f"pkg:github/apple/swift-argument-parser@{version}", notice)


def components(program):
    """The components of a program, by name."""
    text = (BUILD / f"{program}.map").read_text(errors="replace")
    root, swift = _swift()
    found = {"swift-argument-parser": _argument_parser()}
    for archive in sorted(set(re.findall(r"(/\S+\.a)\(", text))):
        real = pathlib.Path(archive).resolve()
        component = swift if real.is_relative_to(root) else _debian(str(real))
        if component is None:
            sys.exit(f"{archive}: nobody knows where this library is from")
        found[component.name] = component
    return [found[name] for name in sorted(found)]


def version():
    text = (ROOT / "Sources/ProgramSupport/Version.swift").read_text()
    return re.search(r'softtokenVersion = "([^"]+)"', text)[1]


def notices(program):
    """The text that is installed with a program."""
    found = components(program)
    table = "\n".join(f"    {c.name:<22} {c.version:<22} {c.licence}" for c in found)
    parts = [HEAD.format(program=program, version=version(), table=table)]
    for component in found:
        title = f"{component.name} {component.version}"
        parts.append(f"\n{title}\n{'=' * len(title)}\n\n{component.notice.strip()}\n")
    return "".join(parts)


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for program in PROGRAMS:
        (target / f"{program}.txt").write_text(notices(program))


if __name__ == "__main__":
    main()
