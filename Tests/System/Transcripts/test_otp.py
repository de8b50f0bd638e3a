"""The OTPs of the binary against oathtool at the current time, and against the RFCs' own vectors."""
import base64
import json
import subprocess
import threading
import time
import unittest

import links
from program import Home, PIN, ProgramTest, SEED, otpauth

# RFC 6238, appendix B: the seeds are the ASCII digits repeated to the length of the MAC.
RFC_SEEDS = {"SHA1": (b"1234567890" * 2)[:20], "SHA256": (b"1234567890" * 4)[:32],
             "SHA512": (b"1234567890" * 7)[:64]}


def base32(data):
    return base64.b32encode(data).decode().rstrip("=")


def oathtool(seed, algorithm="SHA1", digits=6, step=30, counter=None, at=None):
    how = (["--hotp", f"--counter={counter}"] if counter is not None
           else [f"--totp={algorithm.lower()}", f"--time-step-size={step}s"])
    if at is not None:
        how.append(f"--now=@{at}")
    done = subprocess.run(["oathtool", "-b", *how, f"--digits={digits}", base32(seed)],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TimeTest(ProgramTest):
    # algorithm, digits, time step, seed
    TOKENS = [
        ("SHA1", 6, 30, RFC_SEEDS["SHA1"]), ("SHA1", 7, 60, RFC_SEEDS["SHA1"]),
        ("SHA1", 8, 15, RFC_SEEDS["SHA1"]), ("SHA256", 6, 30, RFC_SEEDS["SHA256"]),
        ("SHA256", 8, 120, RFC_SEEDS["SHA256"]), ("SHA512", 6, 60, RFC_SEEDS["SHA512"]),
        ("SHA512", 8, 30, RFC_SEEDS["SHA512"]), ("SHA1", 6, 45, bytes(range(10))),
        ("SHA256", 7, 37, bytes(range(64))), ("SHA1", 6, 300, b"\0" * 20),
        ("SHA1", 8, 1, b"\xff" * 20), ("SHA512", 6, 59, bytes(range(16)))]

    def test_totp_is_what_oathtool_says_now(self):
        home = Home()
        for number, (algorithm, digits, step, seed) in enumerate(self.TOKENS):
            link = otpauth(secret=base32(seed), algorithm=algorithm, digits=digits, period=step)
            home.activate(link, f"Token {number:02}")
        for number, (algorithm, digits, step, seed) in enumerate(self.TOKENS):
            with self.subTest(f"{algorithm} {digits} digits, {step} s"):
                before = int(time.time())
                done = home.run("show", f"Token {number:02}", "--json", answers=PIN)
                after = int(time.time())
                self.assert_ends(done, 0)
                shown = done.json
                # The step that it names is one that was current, and the OTP is that step's.
                self.assertEqual(shown["validFrom"] % step, 0)
                self.assertEqual(shown["validUntil"], shown["validFrom"] + step)
                self.assertLess(before - step, shown["validFrom"])
                self.assertLessEqual(shown["validFrom"], after)
                self.assertEqual(shown["otp"],
                                 oathtool(seed, algorithm, digits, step, at=shown["validFrom"]))

    def test_json_for_seconds_is_a_line_at_each_roll_over(self):
        home = Home()
        home.activate(otpauth(secret=base32(RFC_SEEDS["SHA1"]), period=3), "Short")
        done = home.run("show", "--json", "--for", "8", answers=PIN)
        self.assert_ends(done, 0)
        lines = [json.loads(line) for line in done.out.splitlines()]
        self.assertIn(len(lines), (3, 4))
        for line, after in zip(lines, lines[1:] + [None]):
            self.assertEqual(line["otp"], oathtool(RFC_SEEDS["SHA1"], step=3, at=line["validFrom"]))
            if after:
                self.assertEqual(after["validFrom"], line["validUntil"])
        self.assert_ends(home.run("show", "--once", "--for", "8", answers=PIN), 64)
        home.activate(otpauth("hotp", secret=base32(RFC_SEEDS["SHA1"]), counter=5), "Counted")
        done = home.run("show", "Counted", "--json", "--for", "8", answers=PIN)
        self.assertEqual([json.loads(line)["counter"] for line in done.out.splitlines()], [5])

    def test_a_signed_link_makes_the_same_otp(self):
        issuer, home = links.Issuer(), Home()
        seed = bytes(range(33))
        home.activate(issuer.link(seed=seed, st={"algorithm": "SHA256", "digits": 8, "period": 120}),
                      "Clinic", PIN, "--trust-issuer", issuer.fingerprint, code=links.CODE)
        first = oathtool(seed, "SHA256", 8, 120)
        otp = home.run("show", answers=PIN).out.strip()
        self.assertIn(otp, (first, oathtool(seed, "SHA256", 8, 120)))


class CounterTest(ProgramTest):
    # RFC 4226, appendix D.
    RFC_4226 = ("755224 287082 359152 969429 338314 254676 287922 162583 399871 520489").split()
    # RFC 6238, appendix B: the counters of its times, whose MACs HOTP makes too.
    RFC_6238 = {"SHA1": {0x1: "94287082", 0x23523EC: "07081804", 0x23523ED: "14050471",
                         0x27BC86AA: "65353130"},
                "SHA256": {0x1: "46119246", 0x23523EC: "68084774", 0x23523ED: "67062674",
                           0x27BC86AA: "77737706"},
                "SHA512": {0x1: "90693936", 0x23523EC: "25091201", 0x23523ED: "99943326",
                           0x27BC86AA: "47863826"}}

    def test_the_sequence_of_rfc_4226(self):
        home = Home()
        home.activate(otpauth("hotp"))
        for counter, otp in enumerate(self.RFC_4226):
            done = home.run("show", answers=PIN)
            self.assertEqual(done.out, otp + "\n")
        self.assertEqual(home.run("list", "--json", answers=PIN).json["tokens"][0]["counter"], 10)

    def test_the_macs_of_rfc_6238(self):
        home = Home()
        for algorithm, table in self.RFC_6238.items():
            for counter, otp in table.items():
                name = f"{algorithm} {counter}"
                if counter == 0x23523ED:
                    name = f"{algorithm} {counter - 1}"  # the next use of the one before
                else:
                    home.activate(otpauth("hotp", secret=base32(RFC_SEEDS[algorithm]),
                                          algorithm=algorithm, digits=8, counter=counter), name)
                with self.subTest(name):
                    self.assertEqual(home.run("show", name, answers=PIN).out, otp + "\n")

    def test_counters_anywhere_agree_with_oathtool(self):
        home = Home()
        seed = bytes(range(100, 120))
        for digits, counter in ((6, 2**31), (7, 2**32 + 5), (8, 2**53 - 1)):
            name = f"at {counter}"
            home.activate(otpauth("hotp", secret=base32(seed), digits=digits, counter=counter), name)
            self.assertEqual(home.run("show", name, answers=PIN).out.strip(),
                             oathtool(seed, digits=digits, counter=counter))

    def test_uses_at_the_same_time_take_turns_and_none_gets_anothers_otp(self):
        home = Home()
        home.activate(otpauth("hotp"))
        results = []
        threads = [threading.Thread(target=lambda: results.append(home.run("show", answers=PIN)))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([done.code for done in results], [0] * 4)
        self.assertEqual(sorted(done.out.strip() for done in results), sorted(self.RFC_4226[:4]))

    def test_a_use_that_is_refused_spends_no_counter(self):
        home = Home()
        home.activate(otpauth("hotp"))
        home.run("show", answers="8305")
        home.run("show", answers="83")
        home.run("show", answers=PIN, changes={"SSH_CONNECTION": "x"})
        self.assertEqual(home.run("show", answers=PIN).out.strip(), self.RFC_4226[0])


class TwoStepTest(ProgramTest):
    def test_the_part_of_this_device_makes_the_seed(self):
        """privacyIDEA's two-step enrolment, recomputed: CONTRACT §5."""
        import hashlib
        import re
        server = bytes(range(20))
        home = Home()
        done = home.activate(otpauth("hotp", secret=base32(server), **{
            "2step_salt": 8, "2step_output": 20, "2step_difficulty": 1000}))
        part = re.search(r"finish there:  ([A-Z2-7 ]+)", done.err).group(1).replace(" ", "")
        decoded = base64.b32decode(part + "=" * (-len(part) % 8))
        # base32check: 4 bytes of SHA-1 before the part.
        self.assertEqual(hashlib.sha1(decoded[4:]).digest()[:4], decoded[:4])
        seed = hashlib.pbkdf2_hmac("sha1", server.hex().encode(), decoded[4:], 1000, 20)
        self.assertEqual(home.run("show", answers=PIN).out.strip(), oathtool(seed, counter=0))


if __name__ == "__main__":
    unittest.main()
