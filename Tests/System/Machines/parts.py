"""What every made-up machine boots: Debian's kernel, the drivers that it needs, and an initial RAM
file system with busybox and guest/init. Made once a run.
"""
import gzip
import lzma
import pathlib
import stat

HERE = pathlib.Path(__file__).resolve().parent
# Disks, the file system and a network card, and what they look up by name instead of by symbol.
DRIVERS = ("crc32c_generic", "ahci", "sd_mod", "nvme", "ext4", "e1000e")


class Parts:
    """Debian's packages, unpacked."""

    def __init__(self, package, busybox):
        self.package, self.busybox = package, busybox
        [self.wrapped_kernel] = package.glob("boot/vmlinuz-*")

    def kernel(self):
        """The kernel as QEMU starts it at once (PVH): taken out of its wrapping, which an emulated
        processor would need seconds for. So started, it doesn't wake up from a suspension."""
        content = self.wrapped_kernel.read_bytes()
        start = content.index(b"\xfd7zXZ\0")
        return lzma.LZMADecompressor().decompress(content[start:])

    def drivers_in_order(self):
        """The paths of the drivers and of what they depend on, each after what it needs."""
        found = self.package.glob("lib/modules/**/*.ko")
        paths = {path.stem.replace("-", "_"): path for path in found}
        order = []

        def add(name):
            # A name that isn't there is built in.
            if name in paths and paths[name] not in order:
                for needed in needs(paths[name]):
                    add(needed)
                order.append(paths[name])

        for name in DRIVERS:
            add(name)
        return order

    def initial_ram(self):
        """The initial RAM file system: a cpio archive of the new ASCII form, compressed."""
        drivers = self.drivers_in_order()
        order = "".join(path.name + "\n" for path in drivers).encode()
        files = [(folder, stat.S_IFDIR | 0o755, b"")
                 for folder in ("bin", "dev", "modules", "proc", "root", "sys")]
        files += [("bin/busybox", stat.S_IFREG | 0o755, self.busybox.read_bytes()),
                  ("init", stat.S_IFREG | 0o755, (HERE / "guest/init").read_bytes()),
                  ("modules/order", stat.S_IFREG | 0o644, order)]
        files += [(f"modules/{path.name}", stat.S_IFREG | 0o644, path.read_bytes())
                  for path in drivers]
        entries = [entry(number + 1, *file) for number, file in enumerate(files)]
        return gzip.compress(b"".join(entries) + entry(0, "TRAILER!!!", 0, b""), 1)


def needs(path):
    """What a driver's .modinfo says that it depends on."""
    content = path.read_bytes()
    start = content.index(b"\0depends=") + 9
    names = content[start:content.index(b"\0", start)].decode()
    return [name.replace("-", "_") for name in names.split(",") if name]


def entry(number, name, mode, content):
    """A file of a cpio archive: cpio(5), new ASCII format."""
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return padded(head) + padded(content)


def padded(content):
    return content + bytes(-len(content) % 4)
