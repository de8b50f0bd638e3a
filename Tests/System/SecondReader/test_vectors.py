#!/usr/bin/python3
"""The second reader opens every good vector and stops in every bad one at the layer it names.

    python3 -m unittest discover -s Tests/System/SecondReader

A keystore that the program made is read too where these are set: SOFTTOKEN_DATA, SOFTTOKEN_STATE,
SOFTTOKEN_PIN, and SOFTTOKEN_MACHINE_ID (else /etc/machine-id).
"""
import contextlib
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import counted  # noqa: E402
import read  # noqa: E402
import readlog  # noqa: E402
from vectorfile import Vector, escape  # noqa: E402

KEYSTORE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "Keystore")
MACHINE = ("machine-id", "root-uuid", "partition-uuid", "disk-serial")
VECTORS = os.path.join(KEYSTORE, "Vectors")


def names_in_format():
    """The names of FORMAT.md §13."""
    with open(os.path.join(KEYSTORE, "FORMAT.md"), encoding="utf-8") as file:
        section = file.read().split("\n## 13.")[1].split("\n## ")[0]
    names = set()
    for line in re.findall(r"^\d+\. (.*)$", section, re.MULTILINE):
        line = re.sub(r"`[^`]*`|\*[^*]*\*|\([^)]*\)", "", line)
        names |= {item.strip() for item in re.split(r"[,.:]", line)
                  if re.fullmatch(r"\s*[a-z0-9]+(-[a-z0-9]+)*\s*", item)}
    return names


def vouched_words(says):
    """As a vector's `vouched` says it."""
    if says is None:
        return "none"
    count = f" {says.device.hex()} {says.count}/{says.limit}" if says.device else ""
    return f"{says.attempts} {says.keystore}{count}" + " gone" * says.is_gone


class Vectors(unittest.TestCase):
    @contextlib.contextmanager
    def vector(self, file_name):
        """A vector and an empty folder for it, as a sub-test."""
        with self.subTest(file_name), tempfile.TemporaryDirectory() as root:
            with open(os.path.join(VECTORS, file_name), encoding="ascii") as file:
                text = file.read()
            vector = Vector.parse(text)
            self.assertEqual(vector.text(), text, "written and parsed differ")
            yield vector, root

    def test_every_must_reject_of_the_format_has_a_vector_and_no_vector_is_unnamed(self):
        files = {name.removesuffix(".txt") for name in os.listdir(VECTORS)}
        named = names_in_format()
        self.assertEqual(files - named, set(), "vectors that FORMAT.md doesn't name")
        self.assertEqual(named - files, set(), "names of FORMAT.md without a vector")

    def test_each_vector_is_judged_at_the_layer_that_it_names(self):
        for file_name in sorted(os.listdir(VECTORS)):
            with self.vector(file_name) as (vector, root):
                data, state = vector.unpack(root)
                result = read.examine(
                    data, state, read.machine_of(*map(vector.get, MACHINE)), vector.get("pin"),
                    int(vector.get("now") or 0))
                self.assertEqual(result.layer, vector.get("layer"), result.reason)
                for name, value in (("attempts-left", result.attempts_left),
                                    ("attested", result.attested), ("request", result.request)):
                    if vector.get(name) is not None:
                        expected = vector.get(name)
                        self.assertEqual(None if expected == "none" else expected,
                                         None if value is None else str(value), name)
                if vector.get("vouched") is not None:
                    says = readlog.vouched(state)
                    self.assertEqual(vouched_words(says), vector.get("vouched"))
                self.assertEqual([escape(token) for token in result.tokens], vector.all("token"))
                if result.layer == "opens":
                    self.assertEqual(result.used_links, int(vector.get("names-used-links") or 0))

    def test_the_chip_s_keys_and_policy_are_as_their_vectors_say_and_its_share_opens(self):
        for file_name in sorted(os.listdir(VECTORS)):
            with self.vector(file_name) as (vector, root):
                if vector.get("chip") is None:
                    continue
                pin, *parts = vector.get("chip").split("|")
                limit, share, gate_key, share_key = map(bytes.fromhex, parts)

                def chip(pair, pin_key):
                    self.assertEqual(counted.policy_of(pair.handle, share), pair.policy)
                    self.assertEqual(counted.gate_key(pin_key), gate_key)
                    self.assertEqual(counted.share_key(pin_key, limit), share_key)
                    return share

                result = read.examine(
                    *vector.unpack(root), read.machine_of(*map(vector.get, MACHINE)), pin, chip=chip)
                self.assertEqual(result.layer, "opens", result.reason)

    def test_each_log_and_used_links_file_is_judged_as_its_vector_says(self):
        for file_name in sorted(os.listdir(VECTORS)):
            with self.vector(file_name) as (vector, root):
                if vector.get("log") is None:
                    continue
                data, state = vector.unpack(root)
                log, used = readlog.Log(data, state), readlog.UsedLinks(state)
                self.assertEqual(log.verdict, vector.get("log"))
                if vector.get("entries") is not None:
                    self.assertEqual(str(log.entries), vector.get("entries"))
                if vector.get("used-links") is not None:
                    self.assertEqual(used.verdict, vector.get("used-links"))
                    self.assertEqual(used.lines(), vector.all("used"))
                    x, jti, issued, state_of_link = vector.get("link").split(" ")
                    contains = used.contains(bytes.fromhex(x), bytes.fromhex(jti), int(issued),
                                             int(vector.get("names-used-links") or 0))
                    self.assertEqual("used" if contains else "unused", state_of_link)


@unittest.skipUnless("SOFTTOKEN_DATA" in os.environ, "no keystore of the program is named")
class Program(unittest.TestCase):
    def test_a_keystore_that_the_program_made_opens(self):
        machine_id = os.environ.get("SOFTTOKEN_MACHINE_ID")
        if machine_id is None:
            with open("/etc/machine-id", encoding="ascii") as file:
                machine_id = file.read().strip()
        result = read.examine(os.environ["SOFTTOKEN_DATA"], os.environ["SOFTTOKEN_STATE"],
                              read.machine_of(machine_id), os.environ["SOFTTOKEN_PIN"])
        self.assertEqual(result.layer, "opens", result.reason)
        self.assertTrue(result.tokens)


if __name__ == "__main__":
    unittest.main()
