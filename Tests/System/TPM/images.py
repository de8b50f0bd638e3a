#!/usr/bin/python3
"""Memory/scan.py with a chip: reads all of the program's memory while it waits, and finds neither what
the chip keeps (S, L, what GATE holds) nor what authorizes it, nor a session's key. Needs root.

The listener knows the sessions' keys from outside; that it does is shown by the commands' MACs.
"""
import os
import sys
import time

from homes import HERE, ChipHome

sys.path.insert(0, str(HERE.parent / "Memory"))

import scan  # noqa: E402
from bench import PIN, TOTP_SEED, Homes, Score, otpauth  # noqa: E402
from listener import Listener  # noqa: E402
from relay import Relay  # noqa: E402

# Held while the keystore is open, each in guarded memory.
IN_USE = ("PINKey", "keystore key", "device share", "device root", "device key")


class HeardHome(ChipHome):
    """A home whose program's talk with the chip is listened to from the beginning."""

    secrets_in_files = ("device key", "log key")

    def __init__(self, source=None, chip=None):
        super().__init__(source, chip)
        self.keys = {0: b"", 1: b""}  # what authorizes GATE and SHARE, once that is known
        self.listener, self.plugged = None, None

    def copy(self):
        return HeardHome(self)

    def run(self, *arguments, **options):
        self.listen()
        return super().run(*arguments, meddle=self.listener, **options)

    def listen(self):
        if self.exists():
            self.keys = dict(enumerate(self.chip_secrets(PIN)[2:]))
        self.listener = Listener(lambda handle: [self.keys[handle % 2]])

    def plug_in(self):
        self.listen()
        self.plugged = Relay(self.chip, self.listener)
        return self.plugged.around()

    def unplug(self):
        self.plugged.close()

    def spoken(self):
        return {name: secret for name, secret in self.listener.secrets.items()}

    def open(self, pin):
        """With what the chip keeps and what authorizes it among the keys."""
        opened = super().open(pin)
        if opened:
            limit, _, gate, share = self.chip_secrets(pin)
            opened["keys"] |= {
                "gate key": gate, "share key": share, "gate after a right PIN": bytes(4) + limit,
                "gate when armed": (int.from_bytes(limit, "big") - 10).to_bytes(4, "big") + limit}
        return opened


def moments(score, home):
    secrets = scan.Secrets(home)
    needles, in_use = secrets.needles, secrets.without(*IN_USE)

    def at(name, arguments, *steps, found=needles, given=secrets):
        target = scan.Target(home, arguments)
        for prompt, typed in steps:
            target.expect(prompt).send(typed)
        scan.search(score, name, target, found, given)
        return target

    show = ["show", "Clinic"]
    at("show at its PIN prompt", show, ("PIN:", ""), given=None)
    at("show, three digits typed", show, ("PIN:", PIN[:3]), given=None)
    at("the rolling display", show, ("PIN:", PIN + "\r"), ("1049h", ""))
    heard = home.listener
    score.true("control: a session's keys are those that its commands are authenticated with",
               heard.verified == 4 and heard.unverified == 0 and len(heard.secrets) >= 10,
               f"{heard.verified} verified, {heard.unverified} not, {len(heard.secrets)} keys")
    at("remove at its question", ["remove", "Clinic"], ("PIN:", PIN + "\r"), ("[yes/no]", ""),
       found=in_use)
    at("pin at its second prompt", ["pin"], ("PIN:", PIN + "\r"), ("New PIN:", ""), found=in_use)
    at("pin into a file, at its second prompt", ["pin", "--protector", "device-file"],
       ("PIN:", PIN + "\r"), ("New PIN:", ""), found=in_use)
    link = otpauth("totp", TOTP_SEED, "bob")
    partial = {name: needle for name, needle in needles.items()
               if not name.startswith("seed of Clinic")}
    at("activate at its PIN prompt", ["activate", link, "--not-prescribing-device", "--name", "New"],
       ("PIN:", ""), found=partial, given=None)


def closed(score, home):
    """While a display rolls the process has neither the chip open nor a folder of the keystore."""
    target = scan.Target(home, ["show", "Clinic"]).expect("PIN:")
    kept = {"the chip": os.stat(home.plugged.name), "the data folder": os.stat(home.data),
            "the state folder": os.stat(home.state)}
    before = found_open(target, kept)
    target.send(PIN + "\r").expect("1049h")
    score.equal("control: at the PIN prompt all are open", before, sorted(kept))
    score.equal("while a display rolls none is open", found_open(target, kept), [])
    target.end()


def found_open(target, kept):
    """Which of them the process has open."""
    time.sleep(0.3)
    folder = f"/proc/{target.child.pid}/fd"
    found = [os.stat(f"{folder}/{name}") for name in os.listdir(folder)]
    return sorted(name for name, there in kept.items()
                  if any(os.path.samestat(one, there) for one in found))


def after_activation(score):
    """A keystore is made in the chip and shown at once: of its own keys none is left behind."""
    home = HeardHome()
    home.must("activate", otpauth("totp", TOTP_SEED), "--name", "Clinic", "--not-prescribing-device",
              "--protector", "tpm2", lines=[PIN])
    target = scan.Target(home, ["show"]).expect("PIN:").send(PIN + "\r").expect("1049h")
    secrets = scan.Secrets(home)
    scan.search(score, "the display after an activation", target, secrets.needles, secrets)


def main():
    score = Score()
    after_activation(score)
    home = Homes(10, HeardHome).two
    moments(score, home)
    closed(score, home.copy())
    score.end()


if __name__ == "__main__":
    main()
