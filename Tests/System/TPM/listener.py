"""Listens to the sessions of a chip whose salting key is known here: the relay puts a key of its own in
the primary's place, as somebody could who sits there when the keystore is made. So a test knows every
session key, and can look for it. Independent of the program's code: TCG TPM 2.0 Library part 1.
"""
import hashlib
import hmac

from chip import (CREATE_PRIMARY, DEFINE, FLUSH, LOAD_EXTERNAL, NV, POLICY_NV, READ_PUBLIC, START_SESSION,
                  command, command_code, number)

# NIST P-256.
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
GENERATOR = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
             0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
PRIVATE = 0x0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF


def added(one, two):
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % P == 0:
            return None
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(scalar, point):
    result = None
    while scalar:
        if scalar & 1:
            result = added(result, point)
        point, scalar = added(point, point), scalar >> 1
    return result


def coordinate(value):
    return value.to_bytes(32, "big")


PUBLIC = tuple(map(coordinate, times(PRIVATE, GENERATOR)))


def sized(content):
    return len(content).to_bytes(2, "big") + content


def key_of_ours():
    """LoadExternal of the known key, outside of every hierarchy."""
    sensitive = bytes.fromhex("002300000000") + sized(coordinate(PRIVATE))
    public = bytes.fromhex("0023000b000200400000001000100003" "0010") + sized(PUBLIC[0]) + sized(PUBLIC[1])
    return command(LOAD_EXTERNAL, sized(sensitive) + sized(public) + bytes.fromhex("40000007"))


def kdfa(key, label, one, two):
    return hmac.digest(key, bytes([0, 0, 0, 1]) + label + b"\0" + one + two + bytes([0, 0, 1, 0]), "sha256")


class Session:
    def __init__(self, content, answer):
        self.ours = content[20:52]
        x, y = (int.from_bytes(content[start:start + 32], "big") for start in (56, 90))
        self.agreed = coordinate(times(PRIVATE, (x, y))[0])
        self.salt = hashlib.sha256(bytes([0, 0, 0, 1]) + self.agreed + b"SECRET\0" + coordinate(x)
                                   + PUBLIC[0]).digest()
        self.theirs = answer[16:48]
        self.key = kdfa(self.salt, b"ATH", self.theirs, self.ours)
        self.is_policy = content[122] == 1


class Listener:
    """To meddle with: everything that the sessions' two ends know. `authorizations`: of the indices
    whose commands are to be checked, by handle and in the order in which they are tried."""

    def __init__(self, authorizations=lambda handle: [b""]):
        self.sessions, self.secrets, self.authorizations = {}, {}, authorizations
        self.verified = self.unverified = 0

    def __call__(self, content, pass_on):
        code = command_code(content)
        names = self.names(content, pass_on)
        answer = pass_on(content)
        if number(answer, 6):
            return answer
        if code == CREATE_PRIMARY:
            return self.put_in_place(answer, pass_on)
        if code == START_SESSION and number(content, 10) >> 24 == 0x80:
            session = self.sessions[number(answer, 10)] = Session(content, answer)
            self.keep("agreed secret", session.agreed)
            self.keep("salt", session.salt)
            self.keep("session key", session.key)
        elif names:
            self.listen(content, answer, names)
        return answer

    def keep(self, name, secret):
        self.secrets[f"{name} {len(self.secrets)}"] = secret

    @staticmethod
    def put_in_place(answer, pass_on):
        """The primary's answer, with the known key's handle, point and Name."""
        pass_on(command(FLUSH, answer[10:14]))
        loaded = pass_on(key_of_ours())
        assert not number(loaded, 6), f"LoadExternal {number(loaded, 6):x}"
        size = number(answer, 18, 2)
        area = answer[20:20 + size - 68] + sized(PUBLIC[0]) + sized(PUBLIC[1])
        name = b"\0\x0b" + hashlib.sha256(area).digest()
        return (answer[:10] + loaded[10:14] + answer[14:20] + area + answer[20 + size:-39]
                + name + answer[-5:])

    @staticmethod
    def names(content, pass_on):
        """The Names of what an authorized command is about, before it is done; none where no session
        authorizes it."""
        if number(content, 0, 2) != 0x8002 or command_code(content) == CREATE_PRIMARY:
            return []
        count = {DEFINE: 1, POLICY_NV: 3}.get(command_code(content), 2)
        handles = [content[at:at + 4] for at in range(10, 10 + 4 * count, 4)]
        return [pass_on(command(READ_PUBLIC, handle))[-34:] if handle[0] == NV >> 24 else handle
                for handle in handles]

    def listen(self, content, answer, names):
        """The keys of one command's parameters, and whether its MAC is right: then they are, too."""
        handle = number(content, 10)
        start = 10 + 4 * len(names) + 4
        session = self.sessions[number(content, start)]
        ours, mac = content[start + 6:start + 38], content[start + 41:start + 73]
        uses, older = content[start + 38], session.theirs
        session.theirs = answer[-69 + 2:-69 + 34]
        is_index = handle >> 24 == NV >> 24
        for authorization in self.authorizations(handle) if is_index else [b""]:
            key = session.key + authorization
            asked = hashlib.sha256(
                content[6:10] + b"".join(names) + content[start + 73:]).digest()
            own = session.key if session.is_policy else key
            if hmac.digest(own, asked + ours + older + bytes([uses]), "sha256") == mac:
                self.verified += 1
                if uses & 0x20:
                    self.keep("parameter key", kdfa(key, b"CFB", ours, older))
                if uses & 0x40:
                    self.keep("parameter key", kdfa(key, b"CFB", session.theirs, ours))
                return
        self.unverified += 1
