"""The second reader's audit log and used links: Keystore/FORMAT.md §3, §10 and §11, nothing else.

It writes nothing, and so shows what is there now, not what the next entry would mend.
"""
import datetime
import os
import re
from collections import namedtuple

from primitives import H, log_subkeys
from read import Fields, Stop, read_file, read_key, require, same

EVENTS = (b"activate attest unlock otp rename remove pin delay erase reset refuse device issuer "
          b"clock tamper").split()
OUTCOMES = b"ok rejected refused failed".split()
LINE = re.compile(
    rb'(?P<content>\{"seq":(?P<seq>0|[1-9][0-9]*),"time":"(?P<time>[^"]*)","event":"(?P<event>[a-z]+)",'
    rb'"outcome":"(?P<outcome>[a-z]+)","token":(?:null|"[0-9a-f]{16}"),'
    rb'"detail":"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]*)"),"mac":"(?P<mac>[0-9a-f]{64})"\}')
TIME = re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")


class Line:
    def __init__(self, match):
        self.is_wrong_pin = match["event"] == b"unlock" and match["outcome"] == b"rejected"
        is_activations = match["content"].endswith(b'"detail":"a signing key was trusted"')
        self.tells_of_change = match["outcome"] == b"ok" and (
            match["event"] in (b"activate", b"rename", b"remove", b"pin")
            or match["event"] == b"issuer" and not is_activations
            or match["event"] == b"otp" and match["content"].endswith(b'"detail":"hotp"')
            or match["event"] == b"device"
            and match["content"].endswith(b'"detail":"a prescribing record was added"'))
        self.ends_use = match["event"] in (b"unlock", b"erase", b"reset") or (
            match["outcome"] == b"ok" and not is_activations and match["event"] in (
                b"activate", b"otp", b"rename", b"remove", b"pin", b"device", b"issuer"))
        self.content, self.mac = match["content"], bytes.fromhex(match["mac"].decode())
        self.seq = int(match["seq"])


def parse_line(raw):
    """None for what is not in the one spelling."""
    match = LINE.fullmatch(raw)
    if not match or match["event"] not in EVENTS or match["outcome"] not in OUTCOMES:
        return None
    if int(match["seq"]) >= 2**64 or not is_moment(match["time"]):
        return None
    return Line(match)


def is_moment(text):
    match = TIME.fullmatch(text)
    if not match:
        return False
    year, *rest = map(int, match.groups())
    try:
        # The calendar repeats after 400 years; Python's has no year 0.
        datetime.datetime(2000 + year % 400, *rest)
    except ValueError:
        return False
    return True


class Head:
    def __init__(self, content, key):
        lengths = {b"ST-HEAD1": 144, b"ST-HEAD2": 160, b"ST-HEAD3": 192}
        require(len(content) == lengths.get(content[:8])
                and same(H(32, content[:-32], key=key), content[-32:]), "no head", "MAC")
        fields = Fields(content[8:-32], "no head")
        self.base_seq, self.base_mac, self.offset = fields.number(8), fields.take(32), fields.number(8)
        self.last_seq, self.last_mac, self.length = fields.number(8), fields.take(32), fields.number(8)
        self.baseline = fields.number(8, signed=True)
        self.attempts, self.keystore = (
            (fields.bounded(8, range(2**63 + 1), "attempts"),
             fields.bounded(8, range(2**63 + 1), "keystore"))
            if fields.rest else (0, 0))
        self.used_links, self.device, self.count, self.limit, self.is_before_try = 0, None, 0, 0, False
        if fields.rest:
            self.used_links = fields.bounded(8, range(2**63 + 1), "used links")
            self.device, self.count = fields.take(16), fields.number(1)
            self.limit = fields.bounded(1, range(max(self.count, 0), 11), "limit")
            self.is_before_try = fields.bounded(1, range(2), "before a try") == 1
            require(not any(fields.take(5)) and (self.limit or not any(self.device)),
                    "no head", "reserved, or a device without a limit")
        self.is_new = not any(content[8:112])
        if self.is_new:
            return
        require(self.base_seq < self.last_seq < 2**63, "no head", "seqs")
        require(self.offset <= self.length < 2**63, "no head", "lengths")
        if self.base_seq == 0:
            require(not any(self.base_mac) and self.offset == 0, "no head", "base")

    @property
    def follows_break(self):
        return self.base_seq > 0 and not any(self.base_mac)

    def fit(self, content, key):
        """A pruning that was cut after the dropped bytes were taken out."""
        first, line_feed, _ = content.partition(b"\n")
        if (any(self.base_mac) and self.offset and line_feed
                and is_chained(parse_line(first), self.base_seq, self.base_mac, key)):
            self.length -= self.offset
            self.offset = 0


class Log:
    """What `log --verify` says, and how many lines `log` shows."""

    def __init__(self, data, state):
        self.verdict, self.entries = "whole", 0
        try:
            self.read(data, state)
        except Stop as stop:
            self.verdict = stop.layer

    def read(self, data, state):
        content = read_file(state, "log")
        _, key = read_key(state, "log-key", b"ST-LKEY1")
        self.entries = shown(content or b"")
        if key is None:
            used = [os.path.lexists(os.path.join(*path))
                    for path in ((data, "keystore"), (state, "erased"), (state, "used-links"))]
            require(not content and not any(used), "no key", "log-key")
            return
        raw = read_file(state, "log-head")
        require(raw is not None, "no head", "log-head")
        head = Head(raw, log_subkeys(key).head)
        if content is None:
            require(head.is_new, "no log", "log")
            return
        head.fit(content, log_subkeys(key).chain)
        walk(content, head, log_subkeys(key).chain)
        self.entries = shown(content[head.offset:])


def shown(content):
    return sum(parse_line(line) is not None for line in content.split(b"\n")[:-1])


def is_chained(line, seq, mac, key):
    return (line is not None and line.seq == seq + 1
            and same(H(32, mac, line.content, key=key), line.mac))


def walk(content, head, key):
    seq, mac, position = head.base_seq, head.base_mac, head.offset
    # The last part is what follows the last line feed.
    for raw in content[position:].split(b"\n")[:-1]:
        line, position = parse_line(raw), position + len(raw) + 1
        require(is_chained(line, seq, mac, key), f"entry {seq + 1}", "chain")
        seq, mac = line.seq, line.mac
        require(seq != head.last_seq or mac == head.last_mac and position == head.length,
                f"entry {seq}", "not the head's last")
    require(seq >= head.last_seq, f"missing {seq + 1}", "the lines end")
    require(not head.follows_break, f"break {head.base_seq + 1}", "the chain follows a break")


Vouched = namedtuple("Vouched", "attempts keystore device count limit is_gone")


def vouched(state):
    """What the log's head vouches for, or None: generations of attempt record and keystore, that
    record's device (None: not told), count and limit, and whether the log isn't what the head names."""
    try:
        _, key = read_key(state, "log-key", b"ST-LKEY1")
        raw = read_file(state, "log-head")
        require(key is not None and raw is not None, "no head", "log-key or log-head")
        keys = log_subkeys(key)
        head = Head(raw, keys.head)
    except Stop:
        return None
    content = read_file(state, "log") or b""
    head.fit(content, keys.chain)
    attempts, keystore, seq, mac = head.attempts, head.keystore, head.last_seq, head.last_mac
    count, is_counted, uses = head.count, head.is_before_try, 0

    def says(is_gone):
        device = head.device if head.limit else None
        return Vouched(attempts, keystore, device, count, head.limit, is_gone)

    if attempts and len(content) < head.length:
        return says(True)
    for raw in content[head.length:].split(b"\n")[:-1] if attempts else ():
        line = parse_line(raw)
        if not is_chained(line, seq, mac, keys.chain):
            return says(True)
        uses += line.ends_use
        seq, mac = line.seq, line.mac
        if line.is_wrong_pin and not is_counted:
            attempts, count = attempts + 1, min(count + 1, head.limit)
        is_counted = False
        keystore += line.tells_of_change
    return says(uses > 1)


def whole_head(state, keys):
    try:
        raw = read_file(state, "log-head")
        return None if raw is None else Head(raw, keys.head)
    except Stop:
        return None


class UsedLinks:
    """`whole`, `altered`, `none` or `refused`, and the entries: hash, expires, token id."""

    def __init__(self, state):
        self.verdict, self.entries, self.key = "none", [], None
        self.generation, self.since, self.head = 0, -2**63, None
        try:
            _, key = read_key(state, "log-key", b"ST-LKEY1")
            content = read_file(state, "used-links")
            if key is not None:
                self.key = log_subkeys(key).used_links
                self.head = whole_head(state, log_subkeys(key))
            if key is not None and content is not None:
                self.read(content)
        except Stop as stop:
            self.verdict = stop.layer

    def read(self, content):
        fields = Fields(content[:-32], "altered")
        magic = fields.take(8)
        require(magic in (b"ST-USED1", b"ST-USED2")
                and same(H(32, b"file", content[:-32], key=self.key), content[-32:]),
                "altered", "magic, MAC")
        if magic == b"ST-USED2":
            generation = fields.bounded(8, range(2**63 + 1), "generation")
            since = fields.number(8, signed=True)
        else:
            generation, since = 0, -2**63
        count = fields.number(4)
        entries = [(fields.take(32), fields.number(8, signed=True), fields.number(8))
                   for _ in range(min(count, len(content)))]
        hashes = [entry[0] for entry in entries]
        require(not fields.rest and hashes == sorted(set(hashes)), "altered", "entries")
        self.verdict, self.entries, self.generation, self.since = "whole", entries, generation, since

    def lines(self):
        """As a vector's `used` says it."""
        return [f"{name.hex()}|{expires}|{token:016x}" for name, expires, token in self.entries]

    def contains(self, x, jti, issued, keystore_names=0):
        """Whether a link was used, or may have been: head or keystore name a file that isn't there."""
        if self.key is None:
            return False
        named = [keystore_names, self.head.used_links if self.head else 0]
        is_untold = any(name >= 2**30 and name % 2 for name in named)
        since = self.since
        if self.generation < max(named) or is_untold:
            baseline = self.head.baseline if self.head else since
            since = max(since, max(named) if max(named) >= 2**30 else baseline)
        return issued <= since or H(32, x, jti, key=self.key) in [entry[0] for entry in self.entries]
