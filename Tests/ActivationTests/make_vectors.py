#!/usr/bin/python3
"""Writes Vectors/*.txt: one signed link a file, with what becomes of it and at which layer.

Written from CONTRACT section 4 and Sources/Activation/FORMAT.md alone, with PyNaCl; it shares no
code with the reader in Swift. Deterministic, so that running it again changes nothing:
sealed boxes use a fixed ephemeral key. Run: make_vectors.py FOLDER
"""
import base64, hashlib, hmac, json, pathlib, struct, sys
from nacl import bindings as na

OUT = pathlib.Path(sys.argv[1])
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
draw = lambda name, n: hashlib.blake2b(name.encode(), digest_size=n).digest()

ISSUER_X, ISSUER_SK = na.crypto_sign_seed_keypair(draw("issuer", 32))
OTHER_X, OTHER_SK = na.crypto_sign_seed_keypair(draw("other issuer", 32))
DEVICE_SK = draw("device", 32)
DEVICE_PK = na.crypto_scalarmult_base(DEVICE_SK)
STRANGER_PK = na.crypto_scalarmult_base(draw("stranger", 32))
SEED = b"12345678901234567890"  # RFC 4226, appendix D
JTI, SALT, NONCE = draw("jti", 16), draw("salt", 16), draw("nonce", 24)
CODE = "7G3KQ-0ZMX1"
OPS, MEM = 2, 64 << 20


def argon(code, ops=OPS, mem=MEM):
    return na.crypto_pwhash_alg(
        32, code.replace("-", "").encode(), SALT, ops, mem, na.crypto_pwhash_ALG_ARGON2ID13)


KEY = argon(CODE)


def code_box(x=ISSUER_X, jti=JTI, seed=SEED, zero=b"\0"):
    return na.crypto_aead_xchacha20poly1305_ietf_encrypt(
        seed, b"softtoken-link-1" + zero + x + jti, NONCE, KEY)


def by_code(sealed=None, **changes):
    seed = {"by": "code", "salt": b64(SALT), "ops": OPS, "mem": MEM, "nonce": b64(NONCE),
            "box": b64(code_box() if sealed is None else sealed)}
    return changed(seed, changes)


def seal(content, to=DEVICE_PK):
    """crypto_box_seal with a fixed ephemeral key: epk, then a box under BLAKE2b-192(epk, to)."""
    esk = draw("ephemeral", 32)
    epk = na.crypto_scalarmult_base(esk)
    nonce = hashlib.blake2b(epk + to, digest_size=24).digest()
    return epk + na.crypto_box(content, nonce, to, esk)


def by_device(x=ISSUER_X, jti=JTI, seed=SEED, to=DEVICE_PK):
    return {"by": "device", "box": b64(seal(x + jti + seed, to))}


ABSENT = object()


def changed(members, changes):
    members = {**members, **changes}
    return {k: v for k, v in members.items() if v is not ABSENT}


def token(**changes):
    return changed({"v": 1, "kind": "soft", "serial": "ST-0001", "type": "hotp",
                    "algorithm": "SHA1", "digits": 6, "counter": 0, "seed": by_code()}, changes)


def totp(**changes):
    return token(**{"type": "totp", "counter": ABSENT, "period": 30, **changes})


def payload(st=None, **changes):
    return changed({"iss": "Example Token Authority", "sub": "dr.ann@example.org",
                    "jti": b64(JTI), "iat": 1750000000, "exp": 1750600000,
                    "st": token() if st is None else st}, changes)


def text(value):
    return value if isinstance(value, bytes) else json.dumps(
        value, separators=(",", ":"), ensure_ascii=False).encode()


def header(x=ISSUER_X, **changes):
    return changed({"alg": "EdDSA", "typ": "softtoken+jwt",
                    "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(x)}}, changes)


def sign(message, sk=ISSUER_SK):
    return na.crypto_sign(message, sk)[:64]


def jws(body, head=None, sk=ISSUER_SK):
    signed = b64(text(header() if head is None else head)) + "." + b64(text(body))
    return signed + "." + b64(sign(signed.encode(), sk))


def hotp(seed, counter, digits, algorithm):
    mac = hmac.new(seed, struct.pack(">Q", counter), algorithm).digest()
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def write(name, head, link):
    lines = [f"name: {name}"] + [f"{k}: {v}" for k, v in head.items() if v is not None]
    (OUT / f"{name}.txt").write_text("\n".join(lines) + "\n\n" + link + "\n", newline="")


def accept(name, body, head=None, carrier="softtoken:activate#", code=CODE, device=False,
           otp=None, spelling=None):
    write(name, {"expect": "accepted", "code": None if device else (spelling or code),
                 "device-key": DEVICE_SK.hex() if device else None,
                 "otp": otp or hotp(SEED, 0, 6, "sha1")}, carrier + jws(body, head))


def reject(name, layer, link, member=None, error=None, code=None, device=False):
    if not link.startswith(("softtoken:", "https:")):
        link = "softtoken:activate#" + link
    write(name, {"expect": "rejected", "layer": layer, "member": member, "error": error,
                 "code": code, "device-key": DEVICE_SK.hex() if device else None}, link)


def accepted():
    accept("ok-code", payload())
    accept("ok-code-typed", payload(), spelling="7g3 kqoz-mxl")
    accept("ok-web-carrier", payload(), carrier="https://issuer.example/a?b=c#softtoken=")
    accept("ok-device", payload(token(seed=by_device())), device=True)
    accept("ok-totp-sha256", payload(totp(algorithm="SHA256", digits=8, period=60)),
           otp=hotp(SEED, 0, 8, "sha256"))
    accept("ok-hotp-sha512", payload(token(algorithm="SHA512", digits=7, counter=2**53 - 1)),
           otp=hotp(SEED, 0, 7, "sha512"))
    seed64 = draw("seed", 64)
    accept("ok-seed-64-bytes", payload(token(seed=by_code(code_box(seed=seed64)))),
           otp=hotp(seed64, 0, 6, "sha1"))
    seed16 = draw("seed", 16)
    accept("ok-seed-16-bytes", payload(token(seed=by_device(seed=seed16))), device=True,
           otp=hotp(seed16, 0, 6, "sha1"))
    record = "softtoken:prescribing#" + "A" * (2048 - 22)
    accept("ok-everything", payload(token(
        pending=3600, expires=1900000000, prescribing=[record] * 3,
        policy={"attempts": 3, "session": 900, "separation": "strict"})))
    accept("ok-unknown-members", payload(token(colour="blue", seed=by_code(hint="none")),
                                         aud=["x", {"y": None, "z": -0}]))
    accept("ok-escaped-members", text(payload()).replace(b'"iss"', b'"\\u0069ss"').replace(
        b'"soft"', b'"\\u0073oft"'))
    accept("ok-white-space", b" \t\r\n" + text(payload()).replace(b",", b" ,\n") + b"\n ")
    accept("ok-depth-8", payload(deep=[[[[[[[]]]]]]]))
    accept("ok-header-order", payload(), head=dict(reversed(header().items())))
    accept("ok-text-limits", payload(token(serial="S" * 32), iss="é" * 32, sub="s" * 128))
    # What `softtoken demo` shows.
    accept("ok-sample", payload(totp(serial="SAMPLE-1"), iss="Sample Clinic",
                                sub="you@sample.example", iat=1735689600, exp=4102444800))
    accept("ok-surrogate-pair", text(payload(iss="@")).replace(b'"@"', b'"\\ud83d\\ude00"'))


def rejected_jws():
    link = jws(payload())
    head, body, signature = link.split(".")
    reject("jws-too-long", "jws", jws(payload(filler="x" * 12000)), error="tooLong")
    reject("jws-two-parts", "jws", head + "." + body)
    reject("jws-four-parts", "jws", link + "." + signature)
    reject("jws-json-serialization", "jws", json.dumps(
        {"payload": body, "protected": head, "signature": signature}))
    reject("jws-padding", "jws", link + "==")
    reject("jws-base64-alphabet", "jws", f"{head}.{b64(b'{}')[:-1]}+.{signature}")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    reject("jws-unused-bits", "jws", link[:-1] + last[last.index(link[-1]) + 1])
    reject("jws-impossible-length", "jws", f"{head}.{b64(b'{} ')}A.{signature}")
    reject("jws-white-space", "jws", f"{head}.{body} .{signature}")
    reject("jws-signature-short", "jws", f"{head}.{body}." + b64(sign((head + "." + body).encode())[:63]))
    reject("jws-cut", "jws", link[:-1])


def rejected_header():
    def bad(name, head, **more):
        reject(name, "header", jws(payload(), head), **more)
    jwk = header()["jwk"]
    bad("header-not-json", b"alg=EdDSA")
    bad("header-not-object", [header()])
    bad("header-alg-none", header(alg="none"), member="alg")
    bad("header-alg-hs256", header(alg="HS256"), member="alg")
    bad("header-alg-ed25519", header(alg="Ed25519"), member="alg")
    bad("header-typ-jwt", header(typ="JWT"), member="typ")
    bad("header-kty-kelvin", header(jwk={**jwk, "kty": "O\u212aP"}), member="kty")
    bad("header-crit", header(crit=["x"]))
    bad("header-kid", header(kid="1"))
    bad("header-missing-jwk", header(jwk=ABSENT), member="jwk")
    bad("header-repeated-alg", text(header()).replace(b"{", b'{"alg":"EdDSA",', 1))
    bad("header-repeated-escaped", text(header()).replace(b"{", b'{"\\u0061lg":"none",', 1))
    bad("header-jwk-d", header(jwk={**jwk, "d": b64(bytes(32))}))
    bad("header-jwk-crv-x25519", header(jwk={**jwk, "crv": "X25519"}), member="crv")
    bad("header-jwk-x-short", header(jwk={**jwk, "x": b64(ISSUER_X[:31])}), member="x")
    bad("header-jwk-x-padding", header(jwk={**jwk, "x": b64(ISSUER_X) + "="}), member="x")


def rejected_signature():
    link = jws(payload())
    head, body, signature = link.split(".")
    raw = sign((head + "." + body).encode())
    bad = lambda name, link: reject(name, "signature", link)
    bad("signature-wrong-key", jws(payload(), sk=OTHER_SK))
    bad("signature-flipped-bit", f"{head}.{body}." + b64(bytes([raw[0] ^ 1]) + raw[1:]))
    bad("signature-over-payload-only", f"{head}.{body}." + b64(sign(body.encode())))
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(raw[32:], "little") + order
    bad("signature-s-plus-l", f"{head}.{body}." + b64(raw[:32] + s.to_bytes(32, "little")))
    identity = (1).to_bytes(32, "little")
    forged = b64(text(header(identity))) + "." + body
    bad("signature-small-order-key", forged + "." + b64(identity + bytes(32)))
    bad("signature-before-payload", jws(b"no json", sk=OTHER_SK))


def rejected_json():
    whole = text(payload())
    bad = lambda name, body, error: reject(name, "json", jws(body), error=error)
    swap = lambda old, new: whole.replace(old, new, 1)
    assert b'"digits":6' in whole
    bad("json-bom", b"\xef\xbb\xbf" + whole, "byteOrderMark")
    bad("json-not-utf8", swap(b"Example", b"Ex\xffmple"), "notUTF8")
    bad("json-overlong-utf8", swap(b"Example", b"Ex\xc1\xa1mple"), "notUTF8")
    bad("json-trailing-bytes", whole + b"{}", "trailingBytes")
    bad("json-trailing-comma", whole[:-1] + b",}", "malformed")
    bad("json-comment", whole[:-1] + b"/**/}", "malformed")
    bad("json-single-quotes", swap(b'"iss"', b"'iss'"), "malformed")
    bad("json-array", b"[" + whole + b"]", "malformed")
    bad("json-empty", b" ", "malformed")
    bad("json-cut", whole[:-1], "malformed")
    bad("json-repeated-member", swap(b"{", b'{"iss":"Other",'), "repeatedMember")
    bad("json-repeated-member-deep", swap(b"{", b'{"x":[{"a":1,"a":1}],'), "repeatedMember")
    bad("json-repeated-member-escaped", swap(b"{", b'{"\\u0069ss":"Other",'), "repeatedMember")
    for name, number, error in [
            ("fraction", b"6.0", "rejectedNumber"), ("exponent", b"6e0", "rejectedNumber"),
            ("plus", b"+6", "malformed"), ("leading-zero", b"06", "rejectedNumber"),
            ("too-big", b"9007199254740992", "rejectedNumber"), ("minus", b"-", "rejectedNumber")]:
        bad("json-number-" + name, swap(b'"digits":6', b'"digits":' + number), error)
    bad("json-lone-surrogate", swap(b"Example", b"\\ud83d"), "loneSurrogate")
    bad("json-swapped-surrogates", swap(b"Example", b"\\ude00\\ud83d"), "loneSurrogate")
    bad("json-depth-9", text(payload(deep=[[[[[[[[]]]]]]]])), "tooDeep")
    bad("json-control-character", swap(b"Example", b"Ex\tample"), "malformed")
    bad("json-bad-escape", swap(b"Example", b"Ex\\ample"), "malformed")
    bad("json-capital-true", swap(b"{", b'{"x":True,'), "malformed")


def rejected_payload():
    def bad(name, body, member=None, error=None):
        reject("payload-" + name, "payload", jws(body), member=member, error=error)
    for name in ["iss", "sub", "jti", "iat", "exp", "st"]:
        bad("missing-" + name, payload(**{name: ABSENT}), name)
    for name in ["kind", "serial", "type", "algorithm", "digits", "counter", "seed"]:
        bad("missing-" + name, payload(token(**{name: ABSENT})), name)
    bad("missing-period", payload(totp(period=ABSENT)), "period")
    for name, iss in [("empty", ""), ("65-bytes", "é" * 32 + "x"), ("control", "a\x07b"),
                      ("bidi", "a\u202eb"), ("c1", "a\x85b"), ("number", 7),
                      ("link", "A otpauth://totp/a?Secret=B")]:
        bad("iss-" + name, payload(iss=iss), "iss")
    bad("sub-129-bytes", payload(sub="s" * 129), "sub")
    bad("sub-link", payload(sub="a sEcret%253DGEZD"), "sub")
    bad("serial-link", payload(token(serial="SoftToken:activate#")), "serial")
    bad("jti-15-bytes", payload(jti=b64(JTI[:15])), "jti")
    bad("jti-padding", payload(jti=b64(JTI) + "=="), "jti")
    bad("iat-string", payload(iat="1750000000"), "iat")
    bad("exp-null", payload(exp=None), "exp")
    bad("st-array", payload([token()]), "st")
    bad("v-2", payload(token(v=2)), error="unknownVersion")
    bad("v-string", payload(token(v="1")), "v")
    bad("kind-hard", payload({"v": 1, "kind": "hard", "serial": "HT-1"}), error="hardToken")
    bad("kind-other", payload(token(kind="medium")), "kind")
    bad("kind-long-s", payload(token(kind="\u017foft")), "kind")
    for member, name, value in [
            ("serial", "33-bytes", "S" * 33), ("type", "other", "motp"),
            ("type", "upper-case", "HOTP"), ("algorithm", "lower-case", "sha1"),
            ("algorithm", "md5", "MD5"), ("digits", "5", 5), ("digits", "9", 9),
            ("digits", "string", "6"), ("counter", "negative", -1), ("pending", "negative", -1),
            ("expires", "string", "never"), ("policy", "null", None)]:
        bad(f"{member}-{name}", payload(token(**{member: value})), member)
    for period in [14, 121]:
        bad(f"period-{period}", payload(totp(period=period)), "period")
    bad("policy-unknown-member", payload(token(policy={"attempts": 5, "colour": 1})))
    for member, values in [("attempts", [2, 11]), ("session", [29, 901])]:
        for value in values:
            bad(f"policy-{member}-{value}", payload(token(policy={member: value})), member)
    bad("policy-separation-other", payload(token(policy={"separation": "none"})), "separation")
    record = "softtoken:prescribing#AAAA"
    for name, value in [("nine", [record] * 9), ("too-long", [record + "A" * 2048]),
                        ("other-prefix", ["softtoken:request#AAAA"]), ("string", record)]:
        bad("prescribing-" + name, payload(token(prescribing=value)), "prescribing")
    seeds = [("by-other", "by", by_code(by="post"))]
    seeds += [("missing-" + m, m, by_code(**{m: ABSENT})) for m in
              ["salt", "nonce", "box", "ops", "mem"]]
    seeds += [("salt-15", "salt", by_code(salt=b64(SALT[:15]))),
              ("nonce-12", "nonce", by_code(nonce=b64(NONCE[:12]))),
              ("ops-1", "ops", by_code(ops=1)), ("ops-11", "ops", by_code(ops=11)),
              ("mem-low", "mem", by_code(mem=(64 << 20) - 1)),
              ("mem-high", "mem", by_code(mem=(1 << 30) + 1)),
              ("box-31", "box", by_code(bytes(31))), ("box-81", "box", by_code(bytes(81)))]
    for name, member, seed in seeds:
        bad("seed-" + name, payload(token(seed=seed)), member)
    for count in [111, 161]:
        seed = {"by": "device", "box": b64(bytes(count))}
        bad(f"device-box-{count}", payload(token(seed=seed)), "box")


def rejected_box():
    def bad(name, seed, code=CODE, **more):
        reject("box-" + name, "box", jws(payload(token(seed=seed))), code=code, **more)
    other = draw("other jti", 16)
    wrong = "wrongCode"
    bad("wrong-code", by_code(), code="7G3KQ-0ZMX2", error=wrong)
    flipped = bytearray(code_box())
    flipped[0] ^= 1
    bad("flipped-bit", by_code(bytes(flipped)), error=wrong)
    bad("other-jti", by_code(code_box(jti=other)), error=wrong)
    bad("other-issuer", by_code(code_box(x=OTHER_X)), error=wrong)
    bad("without-zero-byte", by_code(code_box(zero=b"")), error=wrong)
    bad("other-device", by_device(to=STRANGER_PK), code=None, device=True,
        error="sealedToAnotherDevice")
    bad("device-other-jti", by_device(jti=other), code=None, device=True, member="box")
    bad("device-other-issuer", by_device(x=OTHER_X), code=None, device=True, member="box")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for make in [accepted, rejected_jws, rejected_header, rejected_signature, rejected_json,
                 rejected_payload, rejected_box]:
        make()
