"""What a disk was told, in order, as QEMU's blklogwrites wrote it (the format of the kernel's
dm-log-writes), and what a disk whose power is cut may have kept of it.
"""
import struct

SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4
PIECE = 4096  # what a disk writes whole or not at all
SOON = 20  # entries
SIZE = 1 << 30  # of the log's file, which is sparse


class WriteLog:
    """A log that grows while the machine runs."""

    def __init__(self, path):
        self.path, self.at = path, SECTOR
        with open(path, "wb") as file:
            file.truncate(SIZE)
        self.file = open(path, "rb", buffering=0)
        self.entries = 0
        self.pending = []  # (offset on the disk, place in the log, size) since the last flush
        self.kept = []  # the same, flushed

    def close(self):
        self.file.close()
        self.path.unlink()

    def read_on(self):
        """Takes in what was added; returns how many writes and flushes there were so far."""
        while self.read_entry():
            pass
        return self.entries

    def reaches(self, entries, writes):
        """Takes in what was added, up to a moment to cut at: after so many entries, and with so
        many writes in flight if that comes soon. Whether the moment has come."""
        while self.entries < entries or (
                len(self.pending) < writes and self.entries < entries + SOON):
            if not self.read_entry():
                return False
        return True

    def read_entry(self):
        """Takes in the next entry; whether there was one."""
        self.file.seek(self.at)
        sector, count, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
        # Where nothing was written yet all is zero; an entry without sectors is a flush.
        if not (sector or count or flags):
            return False
        size = 0 if flags & DISCARD else count * SECTOR
        self.pending.append((sector * SECTOR, self.at + SECTOR, size))
        self.at += SECTOR + size
        self.entries += 1
        if flags & (FLUSH | FUA):
            self.kept, self.pending = self.kept + self.pending, []
        return True

    def apply(self, image, random):
        """Does to the image what a disk did until the cut: all that was flushed, and of the rest,
        piece by piece, what chance wants. Returns how many pieces were lost, and of how many."""
        lost = pieces = 0
        with open(image, "r+b") as disk:
            for offset, place, size in self.kept:
                self.copy(disk, offset, place, size)
            for offset, place, size in self.pending:
                for start in range(0, size, PIECE):
                    pieces += 1
                    if random.random() < 0.5:
                        lost += 1
                    else:
                        self.copy(disk, offset + start, place + start, min(PIECE, size - start))
        return lost, pieces

    def copy(self, disk, offset, place, size):
        self.file.seek(place)
        disk.seek(offset)
        disk.write(self.file.read(size))
