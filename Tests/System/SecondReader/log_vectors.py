"""Writes the vectors of the audit log and the used links: FORMAT.md §3, §10, §11, from that text alone.

`make_vectors.py` calls `make`. All have one log key; without a keystore their layer is `none`.
"""
import struct
from dataclasses import dataclass, replace

from primitives import H, log_subkeys
from vectorfile import drawn, flipped

KEYS = log_subkeys(drawn("log key", 32))
ISSUED = 1_749_990_000
EVENTS = ("activate", "attest", "unlock", "otp", "rename", "remove", "pin", "delay", "erase",
          "reset", "refuse", "device", "issuer", "clock", "tamper")
OUTCOMES = ("ok", "rejected", "refused", "failed")


def content(seq, time=None, event="otp", outcome="ok", token='"1122334455667788"',
            detail="shown"):
    """A line before `,"mac"`."""
    time = f"2025-06-15T15:{seq % 60:02}:40Z" if time is None else time
    return (f'{{"seq":{seq},"time":"{time}","event":"{event}","outcome":"{outcome}",'
            f'"token":{token},"detail":"{detail}"').encode()


@dataclass(frozen=True)
class Chain:
    """Lines, each with its mac, and where they begin."""

    base_seq: int = 0
    base_mac: bytes = bytes(32)
    lines: tuple = ()
    macs: tuple = ()

    def mac(self, number=-1):
        return self.macs[number] if self.macs else self.base_mac

    def add(self, raw=None, end=b"\n", write_mac=bytes.hex, **fields):
        """One entry more; `raw` stands in place of its content."""
        raw = content(self.base_seq + len(self.lines) + 1, **fields) if raw is None else raw
        mac = H(32, self.mac(), raw, key=KEYS.chain)
        line = raw + b',"mac":"' + write_mac(mac).encode() + b'"}' + end
        return replace(self, lines=(*self.lines, line), macs=(*self.macs, mac))

    def grown(self, count):
        return self.add().grown(count - 1) if count else self

    def without(self, count):
        """The same chain after its first entries were dropped."""
        return Chain(self.base_seq + count, self.macs[count - 1], self.lines[count:],
                     self.macs[count:])

    @property
    def log(self):
        return b"".join(self.lines)

    def head(self, offset=0, flip=0, **others):
        values = {"magic": b"ST-HEAD1", "base_seq": self.base_seq, "base_mac": self.base_mac,
                  "offset": offset, "last_seq": self.base_seq + len(self.lines),
                  "last_mac": self.mac(), "length": offset + len(self.log),
                  "baseline": 1_750_000_000, **others}
        raw = struct.pack(">8sQ32sQQ32sQq", *values.values())
        return raw + flipped(H(32, raw, key=KEYS.head), flip)

    def second_head(self, attempts=20, keystore=7, flip=0, tail=b"", magic=b"ST-HEAD2", **others):
        """With the generations that it vouches for."""
        raw = self.head(magic=magic, **others)[:112] + struct.pack(">QQ", attempts, keystore) + tail
        return raw + flipped(H(32, raw, key=KEYS.head), flip)


    def third_head(self, attempts=20, keystore=7, used_links=0, device=bytes(16), count=0, limit=0,
                   tried=0, tail=bytes(5), flip=0, magic=b"ST-HEAD3", **others):
        """With what the attempt record says, and whose it is."""
        raw = (self.head(magic=magic, **others)[:112]
               + struct.pack(">QQQ16sBBB", attempts, keystore, used_links, device, count, limit, tried)
               + tail)
        return raw + flipped(H(32, raw, key=KEYS.head), flip)


FIVE = Chain().grown(5)
NEW_HEAD = Chain().head(baseline=0)


class Writer:
    def __init__(self, write, key_file, keystore_files, tombstone):
        self.write, self.key_file = write, key_file
        self.keystore_files, self.tombstone = keystore_files, tombstone

    def log(self, name, comment, verdict, log, head, entries=None, key=True, others=None,
            layer="none", extra=()):
        """A vector; without `entries` every line in `log` is shown."""
        files = dict(others or {})
        key = self.key_file() if key is True else key
        for path, value in (("log", log), ("log-head", head), ("log-key", key)):
            if value is not None:
                files[f"state/{path}"] = value
        if entries is None:
            entries = (log or b"").count(b"\n")
        headers = [("log", verdict)] + ([] if entries == "-" else [("entries", str(entries))])
        self.write(name, comment, layer, files, extra=headers + list(extra))


def whole(w):
    w.log("log-new-head", "cut after the head of a new log, before its key", "whole", None,
          NEW_HEAD, key=None)
    w.log("log-new-key", "cut before the first entry", "whole", None, NEW_HEAD)
    w.log("log-new-empty", "cut while the first entry was written", "whole", b"", NEW_HEAD)
    w.log("log-new-empty-no-key", "an empty log, no key, no keystore", "whole", b"", None, key=None)
    w.log("log-whole", "five entries", "whole", FIVE.log, FIVE.head())
    w.log("log-second-head", "with the generations that it vouches for", "whole", FIVE.log,
          FIVE.second_head(2**63, 2**63))
    w.log("log-new-second-head", "before the first entry", "whole", None,
          Chain().second_head(0, 0, baseline=0))
    w.log("log-second-head-beyond", "a power cut after a wrong PIN's entry", "whole",
          FIVE.add(event="unlock", outcome="rejected", token="null").log, FIVE.second_head())
    every = Chain()
    for number, event in enumerate(EVENTS):
        every = every.add(event=event, outcome=OUTCOMES[number % 4],
                          token="null" if number % 2 else f'"{number:016x}"')
    w.log("log-every-event", "and every outcome, with a token and without", "whole", every.log,
          every.head())
    printable = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in '"\\')
    details = Chain().add(detail="").add(detail=printable)
    w.log("log-details", "an empty one, and one with every character", "whole", details.log,
          details.head())
    times = Chain()
    for time in ("0000-02-29T00:00:00Z", "1969-12-31T23:59:59Z", "2024-02-29T23:59:59Z",
                 "9999-12-31T23:59:59Z"):
        times = times.add(time=time)
    w.log("log-times", "leap days, before 1970, the last of all; they need not rise", "whole",
          times.log, times.head())
    pruned = FIVE.without(3)
    w.log("log-pruned", "the first three entries were dropped", "whole", pruned.log, pruned.head())
    w.log("log-beyond-head", "a power cut after the entry, before the head", "whole",
          FIVE.grown(2).log, FIVE.head())
    w.log("log-beyond-new-head", "the same at the first entry of all", "whole",
          Chain().add().log, NEW_HEAD)
    w.log("log-incomplete-line", "a power cut while the entry was written", "whole",
          FIVE.log + FIVE.grown(1).lines[5][:60], FIVE.head())
    w.log("log-incomplete-line-whole-but-its-end", "all of the entry but the line feed", "whole",
          FIVE.log + FIVE.grown(1).lines[5][:-1], FIVE.head())


def altered(w):
    lines, head = list(FIVE.lines), FIVE.head()

    def entry(name, comment, number, changed, entries=None, head=head):
        w.log(name, comment, f"entry {number}", b"".join(changed), head, entries)

    edited = lines[1].replace(b'"otp"', b'"pin"')
    entry("log-entry-edited", "otp became pin", 2, [lines[0], edited, *lines[2:]])
    entry("log-entry-shortened", "shown became sho", 2,
          [lines[0], lines[1].replace(b"shown", b"sho"), *lines[2:]])
    entry("log-entries-reordered", "the third before the second", 2,
          [lines[0], lines[2], lines[1], *lines[3:]])
    entry("log-entry-deleted", "the third is gone", 3, lines[:2] + lines[3:])
    entry("log-entry-twice", "the third stands twice", 4, [*lines[:3], *lines[2:]])
    entry("log-first-deleted", "the first is gone", 1, lines[1:])
    second = Chain(1, bytes(32)).grown(2)
    entry("log-first-seq", "the first entry of all has seq 2", 1, second.lines,
          head=second.head(base_seq=0))
    other = Chain(0, drawn("mac", 32)).grown(2)
    entry("log-first-mac", "the first entry of all follows another mac than zeros", 1,
          other.lines, head=other.head(base_mac=bytes(32)))
    skipped = Chain().grown(2).add(content(4)).add(content(5))
    entry("log-seq-skipped", "from 2 to 4, with right macs", 3, skipped.lines,
          head=skipped.head(last_seq=5))
    entry("log-mac-altered", "the last digit of the third", 3,
          [*lines[:2], lines[2][:-4] + (b"0" if lines[2][-4:-3] != b"0" else b"1") + lines[2][-3:],
           *lines[3:]])
    entry("log-last-edited", "otp became pin", 5, [*lines[:4], lines[4].replace(b"otp", b"pin")])
    fork = Chain(0, bytes(32), FIVE.lines[:4], FIVE.macs[:4])
    entry("log-last-of-another-chain", "of the same length, with a right mac", 5,
          fork.add(event="pin").lines)
    entry("log-last-longer", "with a right mac", 5, fork.add(event="remove").lines)
    entry("log-length", "the head's log length is a byte less", 5, lines,
          head=FIVE.head(length=len(FIVE.log) - 1))
    six = FIVE.grown(1).lines
    entry("log-beyond-head-edited", "an entry beyond the head that is not chained", 6,
          [*six[:5], six[5].replace(b"shown", b"drawn")])
    entry("log-beyond-head-skipped", "an entry beyond the head with the seq after the next", 6,
          FIVE.add(content(7)).lines)
    entry("log-tail-replaced", "the last entry is gone, a longer line stands there", 5,
          [*lines[:4], b"x" * 400 + b"\n"], 4)


def spelling(w):
    """Each with right macs: nothing but the spelling gives them away."""
    def odd(name, comment, raw=None, shown=False, before=b"", **options):
        chain = Chain().grown(2).add(raw, **options).grown(2)
        lines = [*chain.lines[:2], before, *chain.lines[2:]]
        w.log(name, comment, "entry 3", b"".join(lines), chain.head(length=sum(map(len, lines))),
              5 if shown else 4)

    good = content(3)
    odd("log-line-member-extra", "a member more", good + b',"more":"x"')
    odd("log-line-member-missing", "without the detail", good.replace(b',"detail":"shown"', b""))
    odd("log-line-member-twice", "the token stands twice",
        good.replace(b',"detail"', b',"token":null,"detail"'))
    odd("log-line-members-reordered", "event before time",
        content(3).replace(b'"time":"2025-06-15T15:03:40Z","event":"otp"',
                           b'"event":"otp","time":"2025-06-15T15:03:40Z"'))
    odd("log-line-space", "a space after a comma", good.replace(b",", b", ", 1))
    odd("log-line-space-before", "a space before the brace", b" " + good)
    odd("log-line-space-after", "a space after the brace", end=b" \n")
    odd("log-line-carriage-return", "before the line feed", end=b"\r\n")
    odd("log-line-empty", "an empty line before it", before=b"\n", shown=True)
    odd("log-line-seq-sign", "+3", good.replace(b":3", b":+3"))
    odd("log-line-seq-zero", "03", good.replace(b":3", b":03"))
    odd("log-line-seq-text", "in quotation marks", good.replace(b":3", b':"3"'))
    odd("log-line-seq-high", "2^64 + 3", good.replace(b":3", b":18446744073709551619"))
    for name, comment, time in (
            ("space", "where T belongs", "2025-06-15 15:03:40Z"),
            ("offset", "not Z", "2025-06-15T15:03:40+00:00"),
            ("fraction", "of a second", "2025-06-15T15:03:40.5Z"),
            ("month", "13", "2025-13-15T15:03:40Z"), ("day", "30 February", "2025-02-30T15:03:40Z"),
            ("leap-day", "29 February 2025", "2025-02-29T15:03:40Z"),
            ("hour", "24", "2025-06-15T24:00:00Z"), ("minute", "60", "2025-06-15T15:60:40Z"),
            ("leap-second", "60", "2016-12-31T23:59:60Z"),
            ("year", "five digits", "12025-06-15T15:03:40Z")):
        odd(f"log-line-time-{name}", comment, time=time)
    odd("log-line-event", "unknown", event="show")
    odd("log-line-event-case", "in upper case", event="OTP")
    odd("log-line-outcome", "unknown", outcome="done")
    odd("log-line-token-number", "7", token="7")
    odd("log-line-token-short", "15 digits", token='"122334455667788"')
    odd("log-line-token-case", "upper-case digits", token='"112233445566778A"')
    odd("log-line-token-empty", "no digits", token='""')
    for name, comment, detail in (
            ("control", "an escape byte", "\x1b[2J"), ("quote", "escaped", 'a\\"b'),
            ("backslash", "", "a\\b"), ("not-ascii", "", "\u00e9"), ("delete", "0x7f", "\x7f")):
        odd(f"log-line-detail-{name}", comment or "with a right mac", detail=detail)
    odd("log-line-mac-case", "upper-case digits", write_mac=lambda mac: mac.hex().upper())
    odd("log-line-mac-short", "63 digits", write_mac=lambda mac: mac.hex()[:-1])
    odd("log-line-mac-long", "65 digits", write_mac=lambda mac: mac.hex() + "0")


def missing(w):
    log, head = FIVE.log, FIVE.head()
    w.log("log-tail-cut", "the last entry is gone", "missing 5", b"".join(FIVE.lines[:4]), head)
    w.log("log-half-cut", "cut in the middle of the third", "missing 3",
          b"".join(FIVE.lines[:2]) + FIVE.lines[2][:50], head)
    w.log("log-last-line-feed-cut", "the last byte is gone", "missing 5", log[:-1], head)
    w.log("log-tail-filled", "the last entry is gone, bytes without a line feed stand there",
          "missing 5", b"".join(FIVE.lines[:4]) + b"x" * 400, head)
    w.log("log-emptied", "no byte is left", "missing 1", b"", head)
    pruned = FIVE.without(3)
    w.log("log-pruned-tail-cut", "the last entry is gone", "missing 5", pruned.lines[0],
          pruned.head())
    w.log("log-pruned-emptied", "no byte is left", "missing 4", b"", pruned.head())
    w.log("log-missing", "the log is gone, its head is there", "no log", None, head)


def breaks(w):
    before = FIVE.log[:300] + b"\n"
    chain = Chain(5, bytes(32)).add(event="tamper", outcome="failed", token="null").grown(2)
    head = chain.head(len(before))
    w.log("log-after-break", "a new chain behind what was altered", "break 6", before + chain.log,
          head, 4)
    w.log("log-after-break-and-nothing", "a new chain where no byte was left", "break 6",
          chain.log, chain.head(), 3)
    w.log("log-after-break-edited", "an entry of the new chain", "entry 7",
          before + chain.log.replace(b"otp", b"pin", 1), head, 4)
    w.log("log-after-break-edited-before", "what can't be verified was altered again", "break 6",
          b"x" * 300 + b"\n" + chain.log, head, 3)
    w.log("log-after-break-cut-before", "what can't be verified was taken out", "missing 6",
          chain.lines[0], head, 1)


def prunings(w):
    """The first three of five entries are dropped: begun before they are out, cut after."""
    kept, out = FIVE.without(3), FIVE.lines[:3]
    before = b"".join(out)
    head = kept.head(len(before))
    w.log("log-pruning-begun", "killed between the first head and the shorter log", "whole",
          FIVE.log, head, 2)
    w.log("log-pruning-begun-and-altered-before", "dropped entries that were edited", "whole",
          before.replace(b"otp", b"pin") + kept.log, head, 2)
    w.log("log-pruning-begun-edited", "the first that is kept", "entry 4",
          before + kept.log.replace(b"otp", b"pin", 1), head)
    w.log("log-pruning-begun-tail-cut", "the last entry is gone", "missing 5",
          before + kept.lines[0], head)
    w.log("log-pruning-cut", "killed between the shorter log and the second head", "whole",
          kept.log, head)
    w.log("log-pruning-cut-beyond-head", "and a power cut after the next entry", "whole",
          kept.grown(1).log, head)
    w.log("log-pruning-cut-far-beyond-head", "so many entries that the log is as long as before",
          "whole", kept.grown(4).log, head)
    w.log("log-pruning-cut-incomplete-line", "and a power cut while the next entry was written",
          "whole", kept.log + kept.grown(1).lines[2][:60], head, 2)
    broken = Chain(5, bytes(32)).add(event="tamper", outcome="failed", token="null").grown(2)
    gone, kept_after = b"x" * 300 + b"\n" + broken.lines[0], broken.without(1)
    after = kept_after.head(len(gone))
    w.log("log-pruning-after-break-begun", "the break and its tamper entry are dropped", "whole",
          gone + kept_after.log, after, 2)
    w.log("log-pruning-after-break-cut", "and out", "whole", kept_after.log, after)
    w.log("log-pruning-cut-tail-cut", "the last entry is gone", "missing 5", kept.lines[0], head)
    w.log("log-pruning-cut-edited", "the last entry", "entry 5",
          kept.lines[0] + kept.lines[1].replace(b"otp", b"pin"), head)
    w.log("log-pruning-cut-first-edited", "the first that is kept: nothing says that the dropped "
          "bytes are out", "missing 4", kept.log.replace(b"otp", b"pin", 1), head)
    w.log("log-pruning-cut-too-far", "an entry that the head has not dropped is out, too",
          "missing 4", kept.lines[1], head)
    w.log("log-pruning-cut-and-doubled", "all five, and what is kept before them", "entry 6",
          kept.log + FIVE.log, head)


def heads(w):
    head, log = FIVE.head(), FIVE.log
    pruned = FIVE.without(3)
    none = lambda **others: Chain().head(**{"baseline": 0, **others})
    for name, comment, content_of_head in (
            ("missing", "", None), ("short", "143 bytes", head[:143]),
            ("long", "145 bytes", head + b"\0"), ("empty", "no byte", b""),
            ("magic", "version 2", FIVE.head(magic=b"ST-HEAD2")),
            ("mac", "its first bit flipped", FIVE.head(flip=0x80)),
            ("offset-above-length", "", pruned.head(offset=len(log) + 1, length=len(log))),
            ("base-above-last", "6 and 5", pruned.head(base_seq=6)),
            ("base-is-last", "5 and 5", pruned.head(base_seq=5)),
            ("last-high", "2^63", FIVE.head(last_seq=2**63)),
            ("length-high", "2^63", FIVE.head(length=2**63)),
            ("base-0-mac", "not zero", FIVE.head(base_mac=drawn("mac", 32))),
            ("base-0-offset", "not zero", FIVE.head(offset=1, length=len(log))),
            ("new-mac", "no entry, and a last mac", none(last_mac=drawn("mac", 32))),
            ("new-length", "no entry, and a log length", none(length=len(log))),
            ("new-baseline", "no entry, and a baseline", none(baseline=1))):
        w.log(f"log-head-{name}", comment or "with a right MAC", "no head", log, content_of_head)
    second = FIVE.second_head
    for name, comment, content_of_head in (
            ("attempts-high", "2^63 + 1", second(2**63 + 1)),
            ("keystore-high", "2^63 + 1", second(keystore=2**63 + 1)),
            ("first-long", "160 bytes under the first magic", second(magic=b"ST-HEAD1")),
            ("second-long", "161 bytes", second(tail=b"\0")),
            ("second-mac", "its first bit flipped", second(flip=0x80))):
        w.log(f"log-head-{name}", comment, "no head", log, content_of_head)
    third, device = FIVE.third_head, drawn("device", 16)
    for name, content_of_head in (
            ("third-long", third(tail=bytes(6))), ("third-mac", third(flip=0x80)),
            ("third-reserved", third(tail=bytes(4) + b"\1")), ("third-tried-2", third(tried=2)),
            ("third-limit-11", third(device=device, limit=11)),
            ("third-count-over-limit", third(device=device, count=4, limit=3)),
            ("third-device-without-limit", third(device=device)),
            ("third-used-links-high", third(used_links=2**63 + 1)),
            ("third-as-second", third(magic=b"ST-HEAD2"))):
        w.log(f"log-head-{name}", "with a right MAC where it is not the MAC", "no head", log,
              content_of_head)
    w.log("log-head-third", "what this version writes", "whole", log,
          third(used_links=3, device=device, count=1, limit=10, tried=1))
    w.log("log-head-third-new", "a new keystore beside a log without an entry", "whole", None,
          Chain().third_head(1, 0, device=device, limit=10, baseline=0))
    w.log("log-head-and-log-missing", "the key alone", "no head", None, None)


def keys(w):
    head, log, key = FIVE.head(), FIVE.log, w.key_file()
    for name, comment, content_of_key in (
            ("missing", "", None), ("short", "55 bytes", key[:55]),
            ("long", "57 bytes", key + b"\0"), ("magic", "the device key's",
                                               w.key_file(magic=b"ST-DKEY1")),
            ("checksum", "its first bit flipped", w.key_file(flip=0x80))):
        w.log(f"log-key-{name}", comment or "entries without their key", "no key", log, head,
              key=content_of_key)
    w.log("log-key-other", "whole, but not the log's", "no head", log, head,
          key=w.key_file(key=drawn("another log key", 32)))
    w.log("log-all-missing", "a keystore, and nothing of a log", "no key", None, None, key=None,
          others=w.keystore_files, layer="locked")
    w.log("log-all-missing-erased", "a tombstone, and nothing of a log", "no key", None, None,
          key=None, others={"state/erased": w.tombstone})
    for name in ("log", "log-head", "log-key"):
        files = {"log": log, "log-head": head, "log-key": key}
        files[name] = (files[name], "640")
        w.log(f"mode-{name}", "the group may read it", "refused", files["log"],
              files["log-head"], "-", files["log-key"])


def vouching(w, case):
    """Attempt records, and what the log's head says of them."""
    wrong = {"event": "unlock", "outcome": "rejected", "token": "null"}

    def vector(name, comment, left, head, says, log=FIVE.log, generation=20, vouched=1, key=True,
               layer="locked"):
        record = case.attempts(generation=generation, vouched=vouched)
        files = case.files(data_attempts=record, state_attempts=record)
        if log is not None:
            files["state/log"] = log
        if head is not None:
            files["state/log-head"] = head
        if key:
            files["state/log-key"] = w.key_file()
        w.write(f"attempts-{name}", comment, layer, files, left=left, extra=[("vouched", says)])

    vector("as-head", "the record that the head names", 10, FIVE.second_head(20),
           "20 7")
    vector("first-head", "a head of before vouches for nothing, and a record of before needs none",
           10, FIVE.head(), "0 0", vouched=0)
    vector("older-than-head", "both copies put back", 1, FIVE.second_head(21), "21 7")
    beyond = FIVE.add(**wrong)
    vector("entries-beyond-head", "a wrong PIN and a power cut", 10, FIVE.second_head(19),
           "20 7", beyond.log)
    vector("older-than-entries", "both copies put back, and the head of then", 1,
           FIVE.second_head(20), "21 7", beyond.log)
    vector("uses-beyond-head", "the head of before two wrong PINs, which no power cut leaves", 1,
           FIVE.second_head(18), "20 7 gone", beyond.add(**wrong).log)
    vector("changes-and-use-beyond-head", "the head of before a change and a right PIN", 1,
           FIVE.second_head(20), "20 8 gone",
           FIVE.add(event="issuer", outcome="ok", detail="a signing key was added").add(
               event="otp", outcome="ok", detail="totp").log)
    refused = FIVE.add(event="refuse", outcome="refused", token="null")
    changed = refused.add(event="otp", outcome="ok", detail="hotp").add(
        event="refuse", outcome="refused", token="null")
    vector("changes-beyond-head", "a change of the keystore among refusals, and a power cut", 10,
           FIVE.second_head(20), "20 8", changed.log)
    vector("log-gone", "the log was taken away, and the head is there", 1, FIVE.second_head(20),
           "20 7 gone", log=None)
    vector("log-cut", "the log is shorter than its head says", 1, FIVE.second_head(20), "20 7 gone",
           FIVE.log[:-1])
    vector("log-begun-anew", "the log was gone, and a chain begun anew: the record was never written",
           1, FIVE.second_head(20 + 2**32), f"{20 + 2**32} 7")
    vector("vouched-no-head", "the head was taken away", 1, None, "none")
    vector("vouched-no-key", "the log's key was", 1, FIVE.second_head(20), "none",
           key=False)
    vector("vouched-by-nothing", "a new head in its place", 1, FIVE.head(), "0 0")
    vector("altered-beyond-head", "an entry that the head doesn't name was changed", 1,
           FIVE.second_head(20), "20 7 gone", beyond.log.replace(b'"rejected"', b'"failed"'))
    vector("incomplete-beyond-head", "and one that a power cut left", 10, FIVE.second_head(20), "20 7",
           beyond.log[:len(FIVE.log) + 40])
    name = case.device.name
    mine = lambda count, limit: f"{name.hex()} {count}/{limit}"
    vector("counted-by-head", "the record that the head names", 10,
           FIVE.third_head(20, device=name, limit=10), f"20 7 {mine(0, 10)}")
    vector("counted-before-try", "the first entry of a wrong PIN is of the try that the head tells of",
           10, FIVE.third_head(20, device=name, count=2, limit=10, tried=1), f"20 7 {mine(2, 10)}",
           beyond.log)
    vector("put-back-at-limit", "the head tells of an erasure", None,
           FIVE.third_head(29, device=name, count=10, limit=10), f"29 7 {mine(10, 10)}",
           layer="erasing")
    vector("put-back-entries-at-limit", "the entry beyond the head does", None,
           FIVE.third_head(20, device=name, count=9, limit=10), f"21 7 {mine(10, 10)}", beyond.log,
           layer="erasing")
    vector("right-pin-beyond-head", "what a right PIN left, and a power cut", 10,
           FIVE.third_head(19, device=name, count=4, limit=10, tried=1), f"19 7 {mine(4, 10)}")
    other = drawn("device", 16)
    vector("log-of-another", "the log, its head and its key are another keystore's", None,
           FIVE.third_head(2, 1, device=other, limit=10), f"2 1 {other.hex()} 0/10",
           layer="attempts")
    vector("log-of-another-unvouched", "and the record is one that needs no head", 10,
           FIVE.third_head(2, 1, device=other, limit=10), f"2 1 {other.hex()} 0/10", vouched=0)


def used_links(w):
    x, jti = drawn("issuer's x", 32), drawn("link's jti", 16)
    link = f"{x.hex()} {jti.hex()} "
    first = (H(32, x, jti, key=KEYS.used_links), 1_750_086_400, 0x1122334455667788)
    others = [(drawn(f"used link {n}", 32), 1_750_000_000 + n, n) for n in range(2)]
    entries = sorted([first, *others])

    def packed(entries, count=None, magic=b"ST-USED2", tail=b"", flip=0, generation=3, since=-2**63):
        raw = magic + (b"" if magic == b"ST-USED1" else struct.pack(">Qq", generation, since)) + struct.pack(">I", len(entries) if count is None else count)
        raw += b"".join(name + struct.pack(">qQ", *numbers) for name, *numbers in entries) + tail
        return raw + flipped(H(32, b"file", raw, key=KEYS.used_links), flip)

    def vector(name, comment, verdict, content, entries=(), is_used=False, head=None, log=None,
               named=None, **others):
        w.log(name, comment, log or ("no log" if head else "no head"), None, head, "-",
              others={} if content is None else {"state/used-links": content}, **others,
              extra=[("used-links", verdict)] + [
                  ("used", f"{name.hex()}|{expires}|{token:016x}")
                  for name, expires, token in entries]
              + [("link", link + f"{ISSUED} " + ("used" if is_used else "unused"))]
              + ([] if named is None else [("names-used-links", str(named))]))

    good = packed(entries)
    vector("used-links", "three, one of them of a token that is gone", "whole", good, entries, True)
    vector("used-links-empty", "none", "whole", packed([]))
    vector("used-links-times", "expires before 1970, and at its highest", "whole",
           packed([(bytes(32), -2**63, 0), (b"\xff" * 32, 2**63 - 1, 2**64 - 1)]),
           [(bytes(32), -2**63, 0), (b"\xff" * 32, 2**63 - 1, 2**64 - 1)])
    vector("used-links-missing", "no file", "none", None)
    vector("used-links-without-key", "whole, but there is no log key", "none", good, key=None,
           log="no key")
    for name, comment, altered in (
            ("nothing", "no byte", b""), ("short", "the last byte is gone", good[:-1]),
            ("long", "a byte after the MAC", good + b"\0"),
            ("trailing", "a byte after the entries", packed(entries, tail=b"\0")),
            ("magic", "version 3", packed(entries, magic=b"ST-USED3")),
            ("generation-high", "2^63 + 1", packed(entries, generation=2**63 + 1)),
            ("mac", "its first bit flipped", packed(entries, flip=0x80)),
            ("count-low", "2 of 3", packed(entries, 2)),
            ("count-high", "4 of 3", packed(entries, 4)),
            ("count-huge", "2^32 - 1", packed(entries, 2**32 - 1)),
            ("unsorted", "the last first", packed(entries[::-1])),
            ("twice", "one entry twice", packed([entries[0], *entries]))):
        vector(f"used-links-{name}", comment, "altered", altered)
    vector("used-links-first", "what an earlier version wrote", "whole",
           packed(entries, magic=b"ST-USED1"), entries, True)
    others = entries[:1] if entries[0] != first else entries[1:2]
    vouching = lambda used_links, baseline: FIVE.third_head(used_links=used_links, baseline=baseline)
    vector("used-links-as-head", "of the generation that the log's head names", "whole",
           packed(others), others, False, vouching(3, ISSUED))
    for name, comment, verdict, content, kept in (
            ("older", "put back", "whole", packed(others, generation=2), others),
            ("gone", "taken away", "none", None, ()), ("lost", "altered", "altered", b"", ())):
        vector(f"used-links-{name}", f"{comment}: a link of before may have been used", verdict,
               content, kept, True, vouching(3, ISSUED))
        vector(f"used-links-{name}-newer", f"{comment}, and the link was issued since", verdict,
               content, kept, False, vouching(3, ISSUED - 1))
    vector("used-links-since", "begun anew after that", "whole",
           packed(others, since=ISSUED), others, True)
    vector("used-links-older-since", "put back, and what counts as used was later than the baseline",
           "whole", packed(others, generation=2, since=ISSUED), others, True, vouching(3, ISSUED - 1))
    time, old = ISSUED + ISSUED % 2, packed(others, generation=ISSUED - 1000)
    vector("used-links-as-keystore", "of the generation that head and keystore name, a time", "whole",
           packed(others, generation=time), others, False, vouching(time, ISSUED), named=time)
    for name, comment, verdict, content, kept, is_named in (
            ("gone-since", "taken away, and the head names a time", "none", None, (), False),
            ("unnamed", "older than the keystore says: put back, head and all", "whole", old, others, True),
            ("untold-head", "a chain was begun without a head", "whole", packed(others, generation=2**40),
             others, False),
            ("untold-keystore", "the keystore was put back", "whole", packed(others, generation=2**40),
             others, True)):
        for suffix, least in ("", ISSUED), ("-newer", ISSUED - 2):
            name_of = (least | 1) if "untold" in name else least + least % 2
            issued = "after" if suffix else "before"
            vector(f"used-links-{name}{suffix}", f"{comment}; a link that was issued {issued} that time",
                   verdict, content, kept, not suffix,
                   vouching(0 if is_named else name_of, ISSUED - 5000),
                   named=name_of if is_named else None)
    for name, number, is_used in ("last-count", 2**30 - 1, True), ("first-time", 2**30, False):
        vector(f"used-links-{name}", "taken away: below 2^30 the head's baseline counts", "none", None,
               is_used=is_used, head=vouching(number, ISSUED))
    vector("mode-used-links", "the group may read it", "refused", (good, "640"))


def make(write, key_file, case):
    w = Writer(write, key_file, case.files(), case.tombstone())
    vouching(w, case)
    for part in (whole, altered, spelling, missing, breaks, prunings, heads, keys, used_links):
        part(w)
