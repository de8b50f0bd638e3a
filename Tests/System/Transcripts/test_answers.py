"""Off a terminal: each question takes the next line, in the contract's order; nothing on standard
output but what a script wants; JSON as CONTRACT §3 has it, types included.
"""
import json
import os
import pathlib
import re
import subprocess
import time
import unittest

import files
import links
from program import (Home, ORDINARY, PIN, PROGRAM, ProgramTest, SEED, environment, needs_root,
                     one_token, otpauth, template, three_tokens)
from screen import Session

ISSUER = links.Issuer()
ATTESTED = "--not-prescribing-device"


class OrderTest(ProgramTest):
    """The order of CONTRACT §1."""

    def test_activate_takes_link_name_and_pin(self):
        home = Home()
        done = home.run("activate", ATTESTED, answers=f"{otpauth()}\nClinic\n{PIN}\n")
        self.assert_ends(done, 0)
        self.assertEqual(done.out, "")
        self.assertIn("Example Health", done.err)
        self.assertIn("alice", done.err)
        self.assertEqual(home.run("list", answers=PIN).out.split("  ")[0], "Clinic")

    def test_a_signed_link_takes_link_code_name_and_pin(self):
        home = Home()
        answers = f"{ISSUER.link()}\n{links.CODE}\nClinic\n{PIN}\n"
        done = home.run("activate", ATTESTED, "--trust-issuer", ISSUER.fingerprint, answers=answers)
        self.assert_ends(done, 0, re.escape(ISSUER.fingerprint))
        self.assertEqual(done.out, "")

    def test_an_activation_code_may_be_typed_loosely(self):
        home = Home()
        typed = links.CODE.lower().replace("0", "o").replace("1", "l").replace("-", " - ")
        home.activate(ISSUER.link(), "Clinic", PIN, "--trust-issuer", ISSUER.fingerprint, code=typed)

    def test_a_code_that_is_none_is_told_apart_from_a_wrong_one(self):
        home = Home()
        for code, detail in (("O", "what was typed is no activation code"),
                             ("7G3KQ-0ZMX2", "a wrong activation code")):
            done = home.run("activate", ISSUER.link(), ATTESTED, "--trust-issuer",
                            ISSUER.fingerprint, answers=code + "\n")
            self.assert_ends(done, 65)
            self.assertEqual(home.log()[-1]["detail"], detail)

    def test_a_question_that_an_option_answers_is_not_asked(self):
        home = Home()
        done = home.run("activate", otpauth(), ATTESTED, "--name", "Clinic", answers=PIN + "\n")
        self.assert_ends(done, 0)
        self.assert_ends(home.run("remove", "Clinic", "--yes", answers=PIN + "\n"), 0)
        self.assert_ends(home.run("reset", "--yes"), 0)

    def test_pin_takes_the_current_and_the_new_one_once(self):
        home = one_token()
        self.assert_ends(home.run("pin", answers=f"{PIN}\n8305\n"), 0)
        self.assert_ends(home.run("show", answers=f"{PIN}\n"), 77)
        self.assert_ends(home.run("show", answers="8305\n"), 0)

    def test_remove_takes_the_pin_and_yes(self):
        home = one_token()
        for word in ("y", "YES", "no", ""):
            self.assert_ends(home.run("remove", "Clinic", answers=f"{PIN}\n{word}\n"), 64,
                             "nothing was removed\n.*type yes, or add --yes")
        self.assert_ends(home.run("remove", "Clinic", answers=f"{PIN}\nyes\n"), 0)
        done = home.run("list", answers=PIN)
        self.assert_ends(done, 0)
        self.assertEqual(done.out, "")

    def test_reset_takes_yes(self):
        home = one_token()
        before = home.snapshot()
        for answers in ("", "\n", "y\n"):
            self.assert_ends(home.run("reset", answers=answers), 64)
        self.assert_unchanged(home, before)
        self.assert_ends(home.run("reset", answers="yes\n"), 0)
        self.assertEqual(home.status()["keystore"], "none")

    def test_an_empty_name_takes_the_suggestion_as_an_option_too(self):
        home = Home()
        done = home.run("activate", otpauth(), ATTESTED, "--name", "", answers=PIN + "\n")
        self.assert_ends(done, 0, "Example Health alice is activated")

    def test_an_argument_that_is_not_utf8_is_no_other_name(self):
        home = one_token()
        done = subprocess.run(
            [os.fsencode(PROGRAM), b"rename", b"Clinic", b"a\xffb"], input=PIN.encode(),
            capture_output=True, env=environment(home.path), start_new_session=True)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assert_no_attempt(home)

    def test_a_closed_standard_output_is_told_and_moves_no_counter(self):
        home = Home()
        home.activate(otpauth("hotp"))
        for command in ("show", "list", "status", "request"):
            with self.subTest(command):
                done = subprocess.run(
                    ["/bin/sh", "-c", f'exec "{PROGRAM}" {command} >&-'], input=PIN.encode(),
                    stderr=subprocess.PIPE, env=environment(home.path), start_new_session=True)
                self.assertEqual(done.returncode, 74, done.stderr)
        listed = home.run("list", "--json", answers=PIN).json["tokens"][0]
        self.assertEqual(listed["counter"], 0)

    def test_a_counter_that_moved_for_nothing_is_told(self):
        home = Home()
        home.activate(otpauth("hotp"))
        for options in (), ("--json",), ("--json", "--for", "9"):
            with open("/dev/full", "w") as full:
                done = home.run("show", *options, answers=PIN, stdout=full)
            self.assert_ends(done, 74, "this one-time password is lost")
            self.assertNotIn("nothing was lost", done.err)
        # RFC 4226, appendix D: counter 3.
        self.assertEqual(home.run("show", "--once", answers=PIN).out, "969429\n")
        with open("/dev/full", "w") as full:
            done = one_token().run("show", answers=PIN, stdout=full)
        self.assert_ends(done, 74, "nothing was lost")

    def test_what_is_not_there_is_told_with_what_to_look_at(self):
        home = one_token()
        for command, code, hint in (
                (("show", "--pin-fd", "9"), 64, "add 9< FILE to the command"),
                (("activate", "--from", "/nope"), 66, "in which folder"),
                (("issuer", "add", "/nope"), 66, "in which folder"),
                (("device", "forbid", "xx"), 66, "a record begins with softtoken:prescribing#")):
            with self.subTest(command):
                self.assert_ends(home.run(*command, answers=PIN), code, f"hint: .*{hint}")
        self.assert_no_attempt(home)

    def test_arguments_that_look_like_links_never_end_in_a_fault(self):
        for argument in ("--secret=AAAA", "--otpauth:x=y", "--softtoken==", "--://=a", "--=://",
                         "--name=otpauth://x", "--softtoken:=softtoken:"):
            with self.subTest(argument):
                self.assert_ends(Home().run("show", argument), 64)

    def test_one_folder_for_both_is_refused(self):
        home = Home()
        same = {"XDG_DATA_HOME": str(home.path / "x"), "XDG_STATE_HOME": str(home.path / "x")}
        done = home.run("activate", otpauth(), ATTESTED, answers=f"a\n{PIN}\n", changes=same)
        self.assert_ends(done, 78, "same folder")

    def test_a_pin_descriptor_that_is_a_terminal_would_show_the_pin(self):
        home = one_token()
        session = Session(home.command(["list", "--pin-fd", "0"]), environment(home.path))
        self.addCleanup(session.close)
        self.assertEqual(session.end(), 64)
        self.assertIn("would show the PIN", session.text())

    def test_a_date_that_no_calendar_has_is_a_usage_error(self):
        home = one_token()
        for date in ("2026-13-01", "2026-02-30", "2026-00-10", "2025-02-29", "2026-1-1", "today"):
            done = home.run("show", "--clock-is", date, answers=PIN)
            self.assert_ends(done, 64, "YYYY-MM-DD")

    def test_the_last_line_may_lack_its_end(self):
        self.assert_ends(one_token().run("show", answers=PIN), 0)

    def test_one_carriage_return_is_dropped_and_no_second(self):
        home = one_token()
        self.assert_ends(home.run("show", answers=PIN + "\r\n"), 0)
        self.assert_ends(home.run("show", answers=PIN + "\r\r\n"), 64)
        self.assert_no_attempt(home)

    def test_what_follows_the_answers_is_left_for_the_next_program(self):
        home = one_token()
        script = f'"{PROGRAM}" show >/dev/null && cat'
        done = subprocess.run(["/bin/sh", "-c", script], input=f"{PIN}\nthe rest\n".encode(),
                              capture_output=True, env=environment(home.path))
        self.assertEqual(done.stdout, b"the rest\n")


class MissingTest(ProgramTest):
    """A missing line is 64, never an empty PIN and never an attempt."""

    def test_each_missing_line_is_named_and_nothing_is_made(self):
        home = Home()
        for lines, question in (([], "the link"), ([otpauth()], "the name"),
                                ([otpauth(), "Clinic"], "the new PIN")):
            done = home.run("activate", ATTESTED, answers="".join(line + "\n" for line in lines))
            self.assert_ends(done, 64, f"{question} is missing")
            self.assertEqual(home.status()["keystore"], "none")
        done = home.run("activate", ISSUER.link(), ATTESTED, "--trust-issuer", ISSUER.fingerprint)
        self.assert_ends(done, 64, "the activation code is missing")

    def test_a_missing_pin_is_no_attempt(self):
        home = one_token()
        for command in (["show"], ["list"], ["pin"], ["rename", "Clinic", "b"],
                        ["remove", "Clinic"], ["issuer", "list"]):
            with self.subTest(command):
                self.assert_ends(home.run(*command), 64, "the PIN is missing")
        self.assert_ends(home.run("activate", otpauth(), ATTESTED, answers="Second\n"), 64)
        self.assert_no_attempt(home)

    def test_a_missing_new_pin_keeps_the_old_one(self):
        home = one_token()
        self.assert_ends(home.run("pin", answers=f"{PIN}\n"), 64, "the new PIN is missing")
        self.assert_ends(home.run("show", answers=PIN), 0)

    def test_what_else_a_script_answers_is_judged_before_a_wrong_pin_is_tried(self):
        home = one_token()
        for command, answers, code in (
                (["pin"], "5068\n", 64), (["pin"], "5068\n12\n", 64), (["pin"], "5068\n1234\n", 88),
                (["remove", "Clinic"], "5068\n", 64), (["remove", "Clinic"], "5068\nno\n", 64)):
            with self.subTest(f"{command} {answers!r}"):
                self.assert_ends(home.run(*command, answers=answers), code)
        self.assert_ends(home.run("pin", pin_fd="5068\n"), 64)
        self.assert_no_attempt(home)

    def test_a_closed_standard_input_is_a_missing_answer(self):
        home = one_token()
        done = subprocess.run(["/bin/sh", "-c", f'exec "{PROGRAM}" show <&-'],
                              capture_output=True, env=environment(home.path),
                              start_new_session=True)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assert_no_attempt(home)


class MalformedPINTest(ProgramTest):
    MALFORMED = ["", "427", "42711", " 4271", "4271 ", "42 71", "427a", "４２７１", "٤٢٧١", "4271\t",
                 "+271", "4271\0", "0x10", "4" * 64, "4" * 100_000]

    def test_a_malformed_pin_is_no_attempt(self):
        home = one_token()
        before = home.snapshot()
        for pin in self.MALFORMED:
            with self.subTest(pin[:20]):
                self.assert_ends(home.run("show", answers=pin + "\n"), 64)
        self.assert_unchanged(home, before)

    def test_bytes_that_are_no_text_are_a_malformed_pin(self):
        home = one_token()
        self.assert_ends(home.run("show", answers=b"\xff\xfe42\n"), 64)
        self.assert_no_attempt(home)

    def test_a_malformed_new_pin_changes_nothing(self):
        home = Home()
        for pin in ("", "427", "４２７１"):
            self.assert_ends(home.run("activate", otpauth(), ATTESTED, answers=f"C\n{pin}\n"), 64)
            self.assertEqual(home.status()["keystore"], "none")
        home = one_token()
        self.assert_ends(home.run("pin", answers=f"{PIN}\n12345\n"), 64)
        self.assert_ends(home.run("show", answers=PIN), 0)


class DescriptorTest(ProgramTest):
    def test_the_pin_comes_from_the_descriptor(self):
        home = one_token()
        self.assert_ends(home.run("show", pin_fd=PIN + "\n"), 0)
        self.assert_ends(home.run("show", pin_fd=PIN), 0)

    def test_the_other_answers_stay_on_standard_input(self):
        home = Home()
        done = home.run("activate", ATTESTED, answers=f"{otpauth()}\nClinic\n", pin_fd=PIN + "\n")
        self.assert_ends(done, 0)
        self.assert_ends(home.run("remove", "Clinic", answers="yes\n", pin_fd=PIN + "\n"), 0)

    def test_pin_takes_two_lines_of_it(self):
        home = one_token()
        self.assert_ends(home.run("pin", pin_fd=f"{PIN}\n8305\n"), 0)
        self.assert_ends(home.run("show", pin_fd="8305\n"), 0)
        self.assert_ends(home.run("pin", pin_fd="8305\n"), 64)

    def test_a_malformed_or_missing_pin_in_it_is_no_attempt(self):
        home = one_token()
        for pin in ("", "\n", "427\n", "42711\n"):
            self.assert_ends(home.run("show", answers=PIN, pin_fd=pin), 64)
        self.assert_no_attempt(home)

    def test_a_descriptor_that_is_not_open_is_a_usage_error(self):
        home = one_token()
        for number in ("77", "-1", "x", "99999999999"):
            self.assert_ends(home.run("show", "--pin-fd", number, answers=PIN), 64)
        self.assert_no_attempt(home)

    def test_standard_input_can_be_named(self):
        self.assert_ends(one_token().run("show", "--pin-fd", "0", answers=PIN), 0)


class LinkTextTest(ProgramTest):
    def test_all_of_standard_input_is_the_link(self):
        home = Home()
        mail = f"Dear doctor,\r\n\r\nyour link:\r\n<{otpauth()}>\r\n\r\nThe pharmacy\r\n"
        done = home.run("activate", "--from", "-", "--name", "Clinic", ATTESTED, answers=mail,
                        pin_fd=PIN)
        self.assert_ends(done, 0)

    def test_a_question_without_a_terminal_is_a_usage_error_then(self):
        home = Home()
        # An issuer that ends the link and that its label doesn't name might go on in the next line.
        link = otpauth(digits=6)
        done = home.run("activate", "--from", "-", ATTESTED, answers=f"{link}\nClinic\n{PIN}\n")
        self.assert_ends(done, 64, "the name is missing")
        done = home.run("activate", "--from", "-", ATTESTED, "--name", "Clinic", answers=otpauth())
        self.assert_ends(done, 64, "PIN is missing")

    def test_a_file_with_the_link(self):
        home = Home()
        file = home.path / "mail"
        file.write_text(f"Click here: {otpauth()}\n")
        done = home.run("activate", "--from", file, ATTESTED, answers=f"Clinic\n{PIN}\n")
        self.assert_ends(done, 0)

    def test_the_seed_of_an_argument_is_not_seen_by_others(self):
        home = Home()
        read, write = os.pipe()
        child = subprocess.Popen([PROGRAM, "activate", otpauth(), ATTESTED], stdin=read,
                                 stderr=subprocess.PIPE, env=environment(home.path))
        os.close(read)
        # It has said whose token it is: now it waits for the name.
        self.assertIn(b"Example Health", child.stderr.readline())
        command = pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes()
        os.close(write)
        child.wait()
        child.stderr.close()
        self.assertIn(b"activate\0", command)
        self.assertNotIn(SEED.encode()[:8], command)
        self.assertNotIn(b"otpauth", command)

    def test_links_that_can_not_be_taken_are_rejected(self):
        foreign = {
            "empty": "", "blanks": "   ", "words": "hello", "web": "https://example.org/",
            "steam": otpauth() + "&encoder=steam", "hotp without counter":
                f"otpauth://hotp/a?secret={SEED}", "no secret": "otpauth://totp/a",
            "not base32": "otpauth://totp/a?secret=18", "short": "otpauth://totp/a?secret=GEZDGNBV",
            "digits": otpauth(digits=5), "period": otpauth(period=0),
            "migration": "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8",
            "unknown type": f"otpauth://motp/a?secret={SEED}",
            "prescribing record": links.record([(1, os.urandom(16))]),
            "request": "softtoken:request#AbYFzWtmVs5IjCAROxbJwuItRgvLQQGqjg8gU6L6FmFJ-C6toA",
            "hard token": ISSUER.link(st={"kind": "hard"}),
            "cut": ISSUER.link()[:-10], "megabyte": "otpauth://totp/a?secret=" + "A" * (1 << 20),
            "megabyte of blanks": " " * (1 << 20),
        }
        home = Home()
        for name, link in foreign.items():
            with self.subTest(name):
                done = home.run("activate", ATTESTED, answers=f"{link}\nClinic\n{PIN}\n")
                self.assert_ends(done, 65)
                file = home.path / "link"
                file.write_text(link)
                self.assert_ends(home.run("activate", "--from", file, ATTESTED,
                                          answers=f"Clinic\n{PIN}\n"), 65)
                # Linux takes at most 128 KiB in one argument.
                if len(link) < 100_000:
                    self.assert_ends(home.run("activate", link, ATTESTED,
                                              answers=f"Clinic\n{PIN}\n"), 65)
        self.assertEqual(home.status()["keystore"], "none")

    def test_a_link_belongs_to_activate_alone(self):
        home = one_token()
        for command in (["rename", "Clinic", "https://clinic.example"],
                        ["show", otpauth()], ["rename", otpauth(), "b"],
                        ["activate", "--name", otpauth()],
                        ["activate", otpauth(), "--name", "https://clinic.example"],
                        ["activate", "--from", "https://clinic.example/link"],
                        ["activate", otpauth(), otpauth()]):
            with self.subTest(command[0]):
                self.assert_ends(home.run(*command, answers=PIN), 64)
        self.assertEqual(home.run("list", answers=PIN).out.split("  ")[0], "Clinic")

    def test_a_folder_is_no_input_file(self):
        done = Home().run("activate", "--from", "/etc", ATTESTED, answers=f"Clinic\n{PIN}\n")
        self.assertIn(done.code, (65, 66, 74), done)


class NameTest(ProgramTest):
    def test_an_empty_name_takes_the_suggestion(self):
        home = Home()
        self.assert_ends(home.run("activate", otpauth(), ATTESTED, answers=f"\n{PIN}\n"), 0)
        name = home.run("list", "--json", answers=PIN).json["tokens"][0]["name"]
        self.assertTrue(name)
        # The second one of the same issuer and account gets a suggestion that is free.
        done = home.run("activate", otpauth(), ATTESTED, answers=f"\n{PIN}\n")
        self.assertIn(done.code, (0, 64), done)
        self.assert_no_attempt(home)

    def test_a_taken_name_is_64_and_nothing_is_lost(self):
        home = one_token()
        for name in ("Clinic",):
            done = home.run("activate", otpauth(label="bob"), ATTESTED, answers=f"{name}\n{PIN}\n")
            self.assert_ends(done, 64, "a token of this name is here already")
            done = home.run("activate", otpauth(), ATTESTED, "--name", name, answers=f"{PIN}\n")
            self.assert_ends(done, 64, "a token of this name is here already")
        self.assert_no_attempt(home)
        self.assertEqual(len(home.run("list", answers=PIN).out.splitlines()), 1)

    def test_a_name_that_looks_like_another_one_is_taken(self):
        home = one_token()
        for name in ("Clinic ", "\u200bClinic", "Cli\u034fnic\u00a0"):
            done = home.run("activate", otpauth(), ATTESTED, answers=f"{name}\n{PIN}\n")
            self.assert_ends(done, 64, "here already")

    def test_a_name_is_the_same_in_another_spelling_of_unicode(self):
        home = Home()
        home.activate(name="Z\u00fcrich")
        done = home.run("activate", otpauth(), ATTESTED, answers=f"Zu\u0308rich\n{PIN}\n")
        self.assert_ends(done, 64, "here already")
        self.assert_ends(home.run("show", "Zu\u0308rich", answers=PIN), 0)

    def test_names_that_can_not_be_shown_are_usage_errors(self):
        home = Home()
        for name in ("\x1b[2J", "a\tb", "a\x7fb", "a\u0085b", "a\u202eb", "a\u2066b", "a\u200fb",
                     "a\ufdd0", "a\U0001ffff", "x" * 65, "x" * 300, "ä" * 33,
                     f"secret={SEED}"):
            with self.subTest(ascii(name)[:20]):
                done = home.run("activate", otpauth(), ATTESTED, answers=f"{name}\n{PIN}\n")
                self.assert_ends(done, 64)
                done = home.run("activate", otpauth(), ATTESTED, "--name", name, answers=PIN)
                self.assert_ends(done, 64)
                self.assertNotIn("\x1b", done.err)
        self.assertEqual(home.status()["keystore"], "none")
        done = home.run("activate", otpauth(), ATTESTED, answers=b"\xff\xfe\n4271\n")
        self.assert_ends(done, 64)

    def test_a_name_loses_the_spaces_at_its_ends(self):
        home = Home()
        home.activate(name="  Sign (Rx) \u00c4 \u00a0")
        self.assertEqual(self.names(home), ["Sign (Rx) \u00c4"])
        done = home.run("activate", otpauth(), ATTESTED, "--name", " Sign (Rx) \u00c4", answers=PIN)
        self.assert_ends(done, 64, "here already")
        done = home.run("activate", otpauth(), ATTESTED, "--name", " b" + 70 * " ", answers=PIN)
        self.assert_ends(done, 0, "\nb is activated")
        self.assert_ends(home.run("rename", "b", "  c ", answers=PIN), 0, "b is now named c\n")
        self.assertEqual(self.names(home), ["Sign (Rx) \u00c4", "c"])
        for command in ("rename", "c", "  "), ("activate", otpauth(), ATTESTED, "--name", " "):
            self.assert_ends(home.run(*command, answers=PIN), 64, "1 to 64 bytes")
        # An empty answer takes the suggestion; spaces are none.
        done = home.run("activate", otpauth(), ATTESTED, answers=f" \n{PIN}\n")
        self.assert_ends(done, 64, "1 to 64 bytes")

    def names(self, home):
        return [token["name"] for token in home.run("list", "--json", answers=PIN).json["tokens"]]

    def test_a_name_of_64_bytes_is_taken(self):
        home = Home()
        home.activate(name="ä" * 32)
        self.assert_ends(home.run("show", "ä", answers=PIN), 0)

    def test_an_error_about_an_option_shows_no_control_characters(self):
        done = Home().run("activate", "--\x1b[2J\u202e")
        self.assert_ends(done, 64)
        self.assertNotIn("\x1b", done.err)

    def test_rename_keeps_names_unique_and_acceptable(self):
        home = three_tokens()
        self.assert_ends(home.run("rename", "Old", "Clinic", answers=PIN), 64, "here already")
        self.assert_ends(home.run("rename", "Old", "\x07", answers=PIN), 64)
        self.assert_ends(home.run("rename", "Old", "", answers=PIN), 64)
        self.assert_ends(home.run("rename", "Nobody", "b", answers=PIN), 66)
        self.assert_ends(home.run("rename", "Old", "New", answers=PIN), 0)
        self.assert_ends(home.run("rename", "New", "New", answers=PIN), 0)
        names = [line.split("  ")[0] for line in home.run("list", answers=PIN).out.splitlines()]
        self.assertEqual(sorted(names), ["Clinic", "Clinic at the lake", "New"])


class ChoiceTest(ProgramTest):
    def test_a_token_is_found_by_name_serial_or_their_start(self):
        home = Home()
        trust = ("--trust-issuer", ISSUER.fingerprint)
        for name, serial in (("Clinic", "ST-100"), ("Practice", "ST-1"), ("Clinic B", "XY-9")):
            home.activate(ISSUER.link(st={"serial": serial}), name, PIN, *trust, code=links.CODE)
        for argument, serial in (("Clinic", "ST-100"), ("ST-1", "ST-1"), ("ST-10", "ST-100"),
                                 ("P", "ST-1"), ("Clinic B", "XY-9"), ("XY", "XY-9"),
                                 ("clinic", "ST-100"), ("xy", "XY-9")):
            with self.subTest(argument):
                done = home.run("show", argument, "--json", answers=PIN)
                self.assertEqual(done.json["token"]["serial"], serial)
        for argument in ("C", "Cl", "ST", "ST-"):
            self.assert_ends(home.run("show", argument, answers=PIN), 64, "several")
        self.assert_ends(home.run("show", answers=PIN), 64, "several")
        # Every name begins with an empty text: a script's empty variable must not choose one.
        for argument in ("Hospital", "linic", ""):
            self.assert_ends(home.run("show", argument, answers=PIN), 66)
        self.assert_ends(home.run("show", "C", answers="8305"), 77)

    def test_of_several_links_none_is_taken(self):
        home = Home()
        text = "\n\n".join(ISSUER.link(sub=f"{name}@example.org") for name in ("ann", "bob"))
        done = home.run("activate", "--from", "-", "--not-prescribing-device", answers=text)
        self.assert_ends(done, 64, "several links")
        self.assertNotIn("eyJ", done.err)

    def test_an_empty_token_removes_nothing(self):
        home = one_token()
        self.assert_ends(home.run("remove", "", "--yes", answers=PIN), 66)
        self.assertEqual(len(home.run("list", answers=PIN).out.splitlines()), 1)

    def test_an_ambiguous_token_spends_no_counter_and_no_attempt(self):
        home = three_tokens()
        self.assert_ends(home.run("remove", "Clin", "--yes", answers=PIN), 64)
        self.assert_no_attempt(home)
        self.assertEqual(len(home.run("list", answers=PIN).out.splitlines()), 3)


class OutputTest(ProgramTest):
    def test_stdout_holds_what_a_script_wants_and_nothing_else(self):
        home = three_tokens()
        self.assertRegex(home.run("show", "Clinic", answers=PIN).out, r"\A\d{6}\n\Z")
        self.assertRegex(home.run("show", "Clinic", "--once", answers=PIN).out, r"\A\d{6}\n\Z")
        self.assertRegex(home.run("show", "Clinic at", answers=PIN).out, r"\A\d{8}\n\Z")
        for command, answers in ((["rename", "Old", "Older"], PIN), (["remove", "Older", "--yes"], PIN),
                                 (["pin"], f"{PIN}\n8305\n"), (["log", "--verify"], ""),
                                 (["reset", "--yes"], "")):
            with self.subTest(command):
                done = home.run(*command, answers=answers)
                self.assert_ends(done, 0)
                self.assertEqual(done.out, "")

    def test_a_pending_token_is_shown_with_a_warning_apart(self):
        home = Home()
        home.activate(ISSUER.link(st={"pending": 3600}), "Clinic", PIN, "--trust-issuer",
                      ISSUER.fingerprint, code=links.CODE)
        done = home.run("show", answers=PIN)
        self.assert_ends(done, 0, "may not be accepted before")
        self.assertRegex(done.out, r"\A\d{6}\n\Z")
        listed = home.run("list", "--json", answers=PIN).json["tokens"][0]
        self.assertEqual(listed["state"], "pending")
        self.assertAlmostEqual(listed["pendingUntil"], time.time() + 3600, delta=60)
        shown = home.run("show", "--json", answers=PIN).json
        self.assertEqual(shown["pendingUntil"], listed["pendingUntil"])

    def test_a_random_pin_is_on_stdout_once_and_opens(self):
        home = Home()
        done = home.run("activate", otpauth(), ATTESTED, "--random-pin", answers="Clinic\n")
        self.assert_ends(done, 0)
        self.assertRegex(done.out, r"\A\d{4}\n\Z")
        changed = home.run("pin", "--random-pin", answers=done.out)
        self.assert_ends(changed, 0)
        self.assert_ends(home.run("show", answers=changed.out), 0)
        done = home.run("activate", otpauth(), ATTESTED, "--random-pin", answers=f"Second\n{PIN}\n")
        self.assert_ends(done, 64)

    def test_help_and_version_exit_with_0_on_stdout(self):
        for arguments in (["--help"], ["--version"], ["show", "--help"], ["device", "--help"],
                          ["device", "forbid", "--help"], ["activate", "--version"]):
            with self.subTest(arguments):
                done = Home().run(*arguments)
                self.assert_ends(done, 0)
                self.assertTrue(done.out)
                self.assertEqual(done.err, "")
        self.assertIn("not certified for EPCS", Home().run("--version").out)

    def test_every_command_takes_the_common_options_and_offers_those_it_uses(self):
        uses = {"--pin-fd": ("activate", "show", "list", "rename", "remove", "pin", "log", "demo",
                             "device forbid", "issuer list", "issuer add", "issuer remove"),
                "--no-color": ("show", "demo"), "--help": ()}
        for command in ("activate", "show", "list", "rename", "remove", "pin", "status", "log",
                        "request", "device register", "device unregister", "device forbid",
                        "device list", "device check", "issuer list", "issuer add",
                        "issuer remove", "reset", "demo", "handler install", "handler remove"):
            with self.subTest(command):
                text = Home().run(*command.split(), "--help").out
                for option, users in uses.items():
                    self.assertEqual(option in text, command in users or option == "--help")
                # A script may give them to any command.
                given = (*command.split(), "--pin-fd", "0", "--no-color", "--version")
                self.assert_ends(Home().run(*given), 0)
        home = one_token()
        self.assert_ends(home.run("status", "--pin-fd", "0", "--no-color", answers=PIN), 0)

    def test_shell_completion_is_printed(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("softtoken", Home().run("--generate-completion-script", shell).out)

    def test_the_commands_are_printed_for_programs(self):
        command = json.loads(Home().run("--experimental-dump-help").out)["command"]
        self.assertEqual(command["commandName"], "softtoken")
        self.assertIn("show", [sub["commandName"] for sub in command["subcommands"]])


STATUS = {
    "version": (str,), "keystore": (str,), "attemptsLeft": (int, type(None)),
    "attemptLimit": (int, type(None)), "retryAt": (int, type(None)), "protector": (str,),
    "protection": (str,), "device": (dict,), "remote": (bool, type(None)), "clock": (dict,),
    "memory": (dict,), "network": (str,), "files": (str,)}
TEXT_OR_NULL = (str, type(None))
NUMBER_OR_NULL = (int, type(None))
TOKEN = {"id": (str,), "name": (str,), "issuer": TEXT_OR_NULL, "account": TEXT_OR_NULL,
         "serial": TEXT_OR_NULL}
LISTED = {**TOKEN, "type": (str,), "algorithm": (str,), "digits": (int,),
          "period": NUMBER_OR_NULL, "counter": NUMBER_OR_NULL, "state": (str,), "origin": (str,),
          "warnings": (list,), "activatedAt": (int,), "pendingUntil": NUMBER_OR_NULL,
          "expiresAt": NUMBER_OR_NULL, "seed": (str,)}
SHOWN = {"token": (dict,), "otp": (str,), "type": (str,), "validFrom": NUMBER_OR_NULL,
         "validUntil": NUMBER_OR_NULL, "counter": NUMBER_OR_NULL, "pendingUntil": NUMBER_OR_NULL}
ENTRY = {"seq": (int,), "time": (str,), "event": (str,), "outcome": (str,), "token": TEXT_OR_NULL,
         "detail": (str,)}
EVENTS = ("activate attest unlock otp rename remove pin delay erase reset refuse device issuer "
          "clock tamper").split()


class JSONTest(ProgramTest):
    """Key by key; members may be added, none may be missing or of another type."""

    def check(self, value, members):
        self.assertIs(type(value), dict)
        for name, types in members.items():
            self.assertIn(name, value)
            self.assertIn(type(value[name]), types, f"{name}: {value[name]!r}")

    def check_status(self, home, keystore):
        done = home.run("status", "--json")
        self.assert_ends(done, 0)
        self.assertEqual(done.err, "")
        self.assertEqual(done.out.count("\n"), 1, "one object on one line")
        status = done.json
        self.check(status, STATUS)
        self.assertEqual(status["keystore"], keystore)
        counts = keystore in ("locked", "delayed")
        self.assertEqual(status["attemptsLeft"] is None, not counts)
        self.assertEqual(status["attemptLimit"] is None, not counts)
        self.assertEqual(status["retryAt"] is None, keystore != "delayed")
        self.assertIn(status["protector"], ("none", "device-file", "tpm2"))
        self.check(status["device"], {"separation": (str,), "reason": (str,),
                                      "attested": (bool, type(None))})
        self.assertIn(status["device"]["separation"], ("separate", "unverified", "same"))
        self.check(status["clock"], {"synchronized": (bool, type(None))})
        self.check(status["memory"], {"locked": (bool,), "coreDumps": (bool,)})
        self.assertIn(status["network"], ("blocked", "open"))
        self.assertIn(status["files"], ("confined", "open"))
        return status

    def test_status_in_every_state(self):
        self.check_status(Home(), "none")
        home = one_token()
        status = self.check_status(home, "locked")
        self.assertEqual((status["attemptsLeft"], status["attemptLimit"]), (10, 10))
        self.assertEqual(status["protector"], "device-file")
        self.assertIs(status["device"]["attested"], True)
        self.assertIs(status["memory"]["coreDumps"], False)
        self.assertEqual(status["network"], "blocked")
        files.write_attempts(home, 6)
        status = self.check_status(home, "delayed")
        self.assertEqual(status["attemptsLeft"], 4)
        self.assertAlmostEqual(status["retryAt"], time.time() + 60, delta=5)
        (home.data / "keystore").chmod(0o640)
        self.check_status(home, "refused")
        (home.data / "keystore").chmod(0o600)
        os.truncate(home.data / "keystore", 5000)
        self.check_status(home, "damaged")
        home = one_token()
        (home.state / "device-key").unlink()
        self.check_status(home, "foreign")
        home = one_token()
        files.write_attempts(home, 10)
        self.check_status(home, "erased")
        self.check_status(home, "erased")

    def test_list_and_show_and_log(self):
        home = Home()
        home.activate(otpauth(), "Clinic")
        home.activate(otpauth("hotp", label="bob", counter=7, algorithm="SHA256", digits=8,
                              issuer=""), "Old")
        home.activate(ISSUER.link(st={"expires": 4_000_000_000, "algorithm": "SHA512",
                                      "period": 60}), "Signed", PIN,
                      "--trust-issuer", ISSUER.fingerprint, code=links.CODE)
        home.activate("otpauth://totp/Here:carol?secret=GEZDGNBVGY3TQOJQ&issuer=There", "Weak")
        listed = home.run("list", "--json", answers=PIN)
        self.assertEqual((listed.err, listed.out.count("\n")), ("", 1))
        tokens = {token["name"]: token for token in listed.json["tokens"]}
        for token in tokens.values():
            self.check(token, LISTED)
            self.assertRegex(token["id"], r"\A[0-9a-f]{16}\Z")
            self.assertAlmostEqual(token["activatedAt"], time.time(), delta=90)
            self.assertEqual(token["seed"], "encrypted")
        one, old, signed, weak = (tokens[name] for name in ("Clinic", "Old", "Signed", "Weak"))

        def of(token, *names):
            return tuple(token[name] for name in names)

        kind = ("type", "algorithm", "digits", "period", "counter", "state", "origin")
        self.assertEqual(of(one, *kind), ("totp", "SHA1", 6, 30, None, "active", "unsigned"))
        self.assertEqual(of(old, *kind), ("hotp", "SHA256", 8, None, 7, "active", "unsigned"))
        self.assertEqual(of(signed, *kind), ("totp", "SHA512", 6, 60, None, "active", "signed"))
        self.assertEqual(of(signed, "issuer", "account", "serial", "expiresAt"),
                         (ISSUER.name, "dr.ann@example.org", "ST-0001", 4_000_000_000))
        self.assertEqual(of(one, "issuer", "account", "serial", "warnings"),
                         ("Example Health", "alice", None, []))
        self.assertEqual(len(weak["warnings"]), 2)
        self.assertEqual(weak["issuer"], "There")

        shown = home.run("show", "Clinic", "--json", answers=PIN)
        self.assertEqual((shown.err, shown.out.count("\n")), ("", 1))
        shown = shown.json
        self.check(shown, SHOWN)
        self.assertEqual({name: shown["token"][name] for name in TOKEN},
                         {name: one[name] for name in TOKEN})
        self.assertEqual(of(shown, "type", "counter", "pendingUntil"), ("totp", None, None))
        self.assertEqual(shown["validUntil"] - shown["validFrom"], 30)
        self.assertEqual(shown["validFrom"] % 30, 0)
        counted = home.run("show", "Old", "--json", answers=PIN).json
        self.check(counted, SHOWN)
        self.assertEqual(of(counted, "type", "counter", "validFrom", "validUntil"),
                         ("hotp", 7, None, None))
        again = home.run("list", "--json", answers=PIN).json["tokens"]
        self.assertEqual([t["counter"] for t in again if t["name"] == "Old"], [8])

        home.run("show", answers="8305")
        home.run("list", answers="8305")
        home.run("show", changes={"SSH_CONNECTION": "x"})
        log = home.run("log", "--json")
        self.assertEqual(log.err, "")
        entries = log.json_lines
        for number, entry in enumerate(entries, 1):
            self.check(entry, ENTRY)
            self.assertEqual(entry["seq"], number)
            self.assertRegex(entry["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
            self.assertIn(entry["event"], EVENTS)
            self.assertIn(entry["outcome"], ("ok", "rejected", "refused", "failed"))
        happened = [(e["event"], e["outcome"], e["token"]) for e in entries]
        self.assertIn(("activate", "ok", one["id"]), happened)
        self.assertIn(("otp", "ok", old["id"]), happened)
        self.assertEqual(happened.count(("unlock", "rejected", None)), 2)
        self.assertIn(("refuse", "refused", None), happened)
        self.assert_ends(home.run("log", "--verify"), 0)
        # Never a PIN, a seed, an OTP, nor what names a token.
        for word in (PIN, "8305", SEED, shown["otp"], counted["otp"], "Clinic", "Signed", "alice",
                     "carol", ISSUER.name, "ST-0001", "There", links.CODE):
            self.assertNotIn(word, log.out)

    def test_device_check(self):
        done = Home().run("device", "check", "--json")
        self.assert_ends(done, 0)
        self.check(done.json, {"separation": (str,), "evidence": (list,), "reason": (str,)})

    def test_request_is_the_same_until_a_new_one_replaces_it(self):
        home = Home()
        first = home.run("request", "--json").json
        self.check(first, {"request": (str,), "verification": (str,)})
        self.assertEqual(first["verification"], links.verification(first["request"]))
        self.assertEqual(home.run("request", "--json").json, first)
        self.assertEqual(home.run("request").out,
                         f"{first['request']}\n{first['verification']}\n")
        second = home.run("request", "--new", "--json").json
        self.assertNotEqual(second["request"], first["request"])
        self.assertEqual(home.run("request", "--json").json, second)

    def test_a_link_sealed_to_the_request_opens_here_once_and_nowhere_else(self):
        home, other = Home(), Home()
        request = home.run("request", "--json").json["request"]
        other.run("request")
        link = ISSUER.link(request=request)
        options = (ATTESTED, "--trust-issuer", ISSUER.fingerprint)
        self.assert_ends(other.run("activate", link, *options, answers=f"Clinic\n{PIN}\n"), 65)
        self.assert_ends(home.run("activate", link, *options, answers=f"Clinic\n{PIN}\n"), 0)
        self.assertFalse((home.state / "request").exists())
        self.assertNotEqual(home.run("request", "--json").json["request"], request)
        self.assert_ends(home.run("activate", link, *options, answers=f"Clinic\n{PIN}\n"), 84)

    def test_another_key_under_a_trusted_name_is_told_although_its_fingerprint_was_given(self):
        home = Home()
        home.activate(ISSUER.link(), "Clinic", PIN, "--trust-issuer", ISSUER.fingerprint,
                      code=links.CODE)
        other = links.Issuer("Somebody")
        other.name = ISSUER.name
        for issuer, warning in ((other, f"as {ISSUER.name}; somebody may be using that name"),
                                (links.Issuer("A second authority"), None)):
            done = home.run("activate", issuer.link(), ATTESTED, "--trust-issuer",
                            issuer.fingerprint, answers=f"{links.CODE}\n{issuer.fingerprint}\n{PIN}\n")
            self.assert_ends(done, 0)
            self.assertEqual("another key than the one" in done.err, warning is not None)
            self.assertIn(warning or "", done.err)

    def test_a_second_key_of_a_name_and_a_second_name_of_a_key_are_told(self):
        home = one_token()
        file = home.path / "issuer.pub"
        other = links.Issuer("Somebody")
        other.name = ISSUER.name
        alike = links.Issuer(ISSUER.name.upper().replace(" ", "  "))
        for issuer, told in ((ISSUER, None), (ISSUER, None),
                             (other, f"another key is trusted as {ISSUER.name} already: "
                                     f"{ISSUER.fingerprint}"),
                             (alike, f"another key is trusted as {ISSUER.name} already: "
                                     f"{ISSUER.fingerprint}")):
            file.write_text(issuer.file)
            done = home.run("issuer", "add", file, answers=PIN)
            self.assert_ends(done, 0)
            self.assertEqual("warning" in done.err, told is not None)
            self.assertIn(told or "", done.err)
        file.write_text(ISSUER.file.replace(ISSUER.name, "Evil Clinic"))
        self.assert_ends(home.run("issuer", "add", file, answers=PIN), 0,
                         f"this key was trusted as {ISSUER.name}")

    def test_issuers_are_added_listed_and_removed(self):
        home = one_token()
        file = home.path / "issuer.pub"
        file.write_text(ISSUER.file)
        self.assert_ends(home.run("issuer", "add", file, answers=PIN), 0)
        listed = home.run("issuer", "list", answers=PIN)
        self.assertEqual(listed.out, f"{ISSUER.fingerprint}  {ISSUER.name}\n")
        # Trusted now: no --trust-issuer.
        home.activate(ISSUER.link(), "Signed", PIN, code=links.CODE)
        self.assert_ends(home.run("issuer", "remove", ISSUER.fingerprint, answers=PIN), 0)
        self.assertEqual(home.run("issuer", "list", answers=PIN).out, "")
        self.assert_ends(home.run("issuer", "remove", "nonsense", answers=PIN), 64)
        file.write_text("{}")
        self.assert_ends(home.run("issuer", "add", file, answers=PIN), 65)


if __name__ == "__main__":
    unittest.main()
