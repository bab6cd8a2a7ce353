#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
# may-log: child [0-9]+ killed with signal 9
"""A worker that is killed at any moment of any change.

Each operation is done once to see how many system calls of it change the mail
(tests/crash/crash-shim.c). Then it is done again from the same beginning, with the
worker killed at one of them; the next session, IMAP and "doveadm mapi check" must
find what was there before or what was to be there, each object whole, and the
operation can be done again. Mail is put back in between.

CRASH_SAMPLES (2) calls of each operation are tried, or "all"; CRASH_SEED (1) says
which, CRASH_OPS which operations, CRASH_AT which calls (both space separated)."""

import collections
import http.client
import os
import random
import re
import struct
import subprocess
import sys
import time
import traceback

import readlib
from crashlib import Mailbox, restart_with_shim
from editlib import (
    BODY, CLASS, DICTIONARY, FINDER, FLAGS, IPM_SUBTREE, SUBJECT, Editor,
    RopError)
from readlib import TestFailure, append, check, check_equal, imap_ok, \
    imap_quote, imap_session

# what may be left, which "doveadm mapi check" collects
COLLECTABLE = {"orphaned-bag", "superseded-bag", "orphaned-companion",
               "search-remains", "copy-remains", "log-conflict"}
EC_NOT_FOUND, EC_OBJECT_DELETED = 0x8004010F, 0x8004010A
FOLDERS = ("Work", "Archive", "Doomed")
DOCUMENT = b"\x00\x01binary\xff" * 300


# --- what there is ---------------------------------------------------------------

# deleted: [(folder, what a message has)] of what can be recovered
Seen = collections.namedtuple("Seen", "folders messages found imap deleted")


def observe(server, defaults):
    """Everything that clients see but for the folders of an empty mailbox."""
    editor = Editor(server)
    try:
        return observe_by(server, editor, defaults)
    finally:
        editor.close()


def shorten(value):
    return "sha256:" + readlib.sha256(value)[:16] \
        if isinstance(value, bytes) else value


def observe_by(server, editor, defaults):
    folders = {name: fid for name, fid in editor.folders().items()
               if name not in defaults}
    blob = editor.named("Document", create=False) << 16 | 0x0102
    tags = [CLASS, SUBJECT, BODY, FLAGS, DICTIONARY] + \
        ([blob] if blob > 0xffff else [])
    messages = {}
    for name, fid in list(folders.items()):
        for associated in (False, True):
            try:
                mids = editor.messages(fid, associated)
            except RopError as exc:
                if exc.code != EC_OBJECT_DELETED:
                    raise
                # marked as deleted by who has died: lib-storage puts it right
                # after some minutes
                folders.pop(name)
                break
            check_equal(len(set(mids)), len(mids), f"message ids of {name}")
            for mid in mids:
                try:
                    values = editor.read(fid, mid, tags)
                except RopError as exc:
                    raise TestFailure(f"{name}, message {mid:x}: {exc}") \
                        from exc
                messages[name, associated, mid] = tuple(
                    shorten(value) for value in values.values())
    found = {}
    for name, fid in editor.folders(FINDER).items():
        found[name] = len(editor.messages(fid))
    deleted = []
    # By reading more an mdbox may notice that its map is inconsistent. It brings
    # back what has been expunged then, before IMAP is asked.
    for name, fid in editor.folders().items() \
            if server.format != "mdbox" else ():
        for mid in editor.messages(fid, deleted=True):
            deleted.append((name, tuple(shorten(value) for value in editor.read(
                fid, mid, tags, deleted=True).values())))
    return Seen(folders, messages, found, imap_state(server, folders), deleted)


def imap_state(server, folders):
    """{mailbox: sorted (subject, seen)}"""
    result = {}
    with imap_session(server) as imap:
        for line in imap_ok(imap.list()):
            flags, _, name = line.decode().rpartition(' "/" ')
            name = name.strip('"')
            if name not in folders:
                continue
            if "\\Noselect" in flags:
                # a folder without a mailbox, for which there was no time
                result[name] = []
                continue
            imap_ok(imap.select(imap_quote(name), readonly=True))
            data = imap_ok(imap.uid(
                "FETCH", "1:*",
                "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            result[name] = sorted(
                (find_subject(part[1]),
                 rb"\Seen" in part[0])
                for part in data if isinstance(part, tuple))
    return result


def find_subject(header):
    match = re.search(rb"(?i)subject: ([^\r\n]*)", header)
    return match[1].decode() if match else ""


def check_agreement(seen):
    """IMAP and MAPI say the same."""
    check_equal(sorted(seen.imap), sorted(seen.folders), "IMAP's folders")
    for name in seen.folders:
        by_mapi = sorted((values[1], bool(values[3] & 1)) for (folder, fai, _),
                         values in seen.messages.items()
                         if folder == name and not fai)
        check_equal(by_mapi, seen.imap[name], f"messages of {name}")


def content(key, values):
    """What lib-storage keeps of a message whose saving was interrupted: a file that
    isn't in the index yet, or whose GUID isn't in Maildir's list yet. When it finds
    it later, it makes a message of it that nobody knows the bag of."""
    return key[0], key[1], values[1]


def findable(before, after):
    """mdbox finds also what has been expunged and not been purged. And if there was
    no time for the header that it has before each message, the room for it, which
    is blanks, becomes a part of the message when Dovecot 2.3 mends the file
    (dbox_file_fix()): that hides the first field, which is the subject where
    there's no sender. Of a message that wasn't there before, of course."""
    if os.environ["TEST_FORMAT"] != "mdbox":
        return {content(*message) for message in after.messages.items()}
    found = {content(*message) for state in (before, after)
             for message in state.messages.items()}
    return found | {(*key[:2], "") for key in
                    set(after.messages) - set(before.messages) if key[1]}


def check_whole(before, after, seen):
    """Nothing is half done that can't be, and nothing is lost."""
    for name in seen.folders:
        check(name in before.folders or name in after.folders,
              f"folder {name} appeared")
    for name in set(before.folders) & set(after.folders):
        check_equal(seen.folders.get(name), before.folders[name],
                    f"folder {name}")
    known = set(before.messages.values()) | set(after.messages.values())
    found = findable(before, after)
    extra = collections.Counter()
    contents = [collections.Counter(content(*message)
                                    for message in state.messages.items())
                for state in (before, after, seen)]
    for key, values in seen.messages.items():
        if key not in before.messages and values not in known:
            check(content(key, values) in found, f"message {key} is neither "
                  f"as before nor as it was to be: {values}")
            extra[key[:2]] += 1
        else:
            check(values in known, f"message {key} is neither as before nor "
                  f"as it was to be: {values}")
            # without its bag it may look as it was to be, but for its id, which
            # is a new one beside that of what it was to replace
            found_content = content(key, values)
            if os.environ["TEST_FORMAT"] == "maildir" and \
                    key not in before.messages and \
                    key not in after.messages and found_content in found and \
                    contents[2][found_content] <= max(
                        contents[0][found_content],
                        contents[1][found_content]):
                extra[key[:2]] += 1
    for key in set(before.messages) & set(after.messages):
        check(key in seen.messages, f"message {key} is gone")
        check(seen.messages[key] in
              (before.messages[key], after.messages[key]),
              f"message {key} is another one: {seen.messages[key]}")
    # moved ones, too
    values = set(seen.messages.values())
    for kept in set(before.messages.values()) & set(after.messages.values()):
        check(kept in values, f"a message is gone: {kept}")
    counts = [collections.Counter(key[:2] for key in state.messages)
              for state in (before, after, seen)]
    for place in set(counts[2]):
        check(counts[2][place] <= max(counts[0][place], counts[1][place]) +
              extra[place], f"too many messages: {place}")


def check_recoverable(before, after, seen):
    """What was to be deleted is where it was or can be recovered, and not both; but
    deleting a folder may leave what has been kept of it in the folder, too, until
    that's deleted."""
    kept = set(after.messages.values())
    deleted = [values for _, values in seen.deleted]
    for _, values in before.deleted:
        check(values in deleted, f"it can't be recovered any more: {values}")
    for key, values in before.messages.items():
        if key in after.messages or values in kept or key[1]:
            continue
        there = key in seen.messages
        check(there or values in deleted, f"message {key} is lost: {values}")
        if key[0] in after.folders and there:
            check(values not in deleted, f"message {key} is deleted, too")


def without_flags(state):
    """The index had them."""
    return state._replace(messages={
        key: (*values[:3], *values[4:])
        for key, values in state.messages.items()})


def check_kept(before, after, seen, now):
    """The repair takes nothing away. By looking at everything it may be that
    lib-storage finds what was interrupted."""
    check_equal(now.folders, seen.folders, "folders")
    for key, values in seen.messages.items():
        check(now.messages.get(key) in (values, after.messages.get(key)),
              f"message {key} was {values} and is {now.messages.get(key)}")
    found = findable(before, after)
    for key in set(now.messages) - set(seen.messages):
        check(content(key, now.messages[key]) in found,
              f"message {key} appeared: {now.messages[key]}")


# --- operations ------------------------------------------------------------------

class Base:
    """The mailbox before each operation."""

    def __init__(self, server):
        self.server = server
        editor = Editor(server)
        self.defaults = set(editor.folders())
        editor.close()
        for name in FOLDERS:
            for i in range(2):
                append(server, name, f"From: a@example.net\r\nSubject: native "
                       f"{i}\r\n\r\nText {i}\r\n".encode())
        editor = Editor(server)
        self.blob = editor.named("Document") << 16 | 0x0102
        self.folders = editor.folders()
        for name in ("Work", "Doomed"):
            fid = self.folders[name]
            mids = [editor.create(fid, {
                CLASS: "IPM.Note", SUBJECT: f"made {i}", BODY: f"Body {i}",
                self.blob: DOCUMENT + bytes([i])}) for i in range(3)]
            # it has replaced another one
            editor.change(fid, mids[1], {SUBJECT: "changed 1"})
            editor.create(fid, {CLASS: "IPM.Configuration.Test",
                                SUBJECT: "settings",
                                DICTIONARY: b"<xml/>" * 20}, associated=True)
            # which an mdbox may find again at any time
            if server.format != "mdbox":
                editor.delete(fid, [editor.create(fid, {
                    CLASS: "IPM.Note", SUBJECT: f"dropped in {name}",
                    self.blob: DOCUMENT})])
        self.mids = {
            name: dict((editor.read(fid, mid, [SUBJECT])[SUBJECT], mid)
                       for mid in editor.messages(fid))
            for name, fid in self.folders.items() if name in FOLDERS}
        search = editor.create_folder(editor.special(FINDER), "Found", kind=2)
        editor.set_criteria(search, "made", [self.folders["Work"]])
        editor.messages(search)
        editor.close()

    def fid(self, name):
        return self.folders[name]

    def mid(self, subject, name="Work"):
        return self.mids[name][subject]


def op_create(editor, base):
    editor.create(base.fid("Work"), {
        CLASS: "IPM.Note", SUBJECT: "new", BODY: "New text",
        base.blob: DOCUMENT + b"new"})


def op_create_first(editor, base):
    """A folder that has no bags yet"""
    editor.create(base.fid("Archive"), {
        CLASS: "IPM.Note", SUBJECT: "first", BODY: "New text",
        base.blob: DOCUMENT + b"first"})


def op_change_native(editor, base):
    editor.change(base.fid("Work"), base.mid("native 0"),
                  {SUBJECT: "native changed"})


def op_change(editor, base):
    editor.change(base.fid("Work"), base.mid("made 0"),
                  {SUBJECT: "changed 0", base.blob: DOCUMENT + b"changed"})


def op_change_again(editor, base):
    editor.change(base.fid("Work"), base.mid("changed 1"),
                  {SUBJECT: "changed twice"})


def op_change_bag(editor, base):
    for subject in ("changed 1", "native 1"):
        editor.change(base.fid("Work"), base.mid(subject),
                      {base.blob: DOCUMENT + b"another"})


def op_create_associated(editor, base):
    editor.create(base.fid("Archive"), {
        CLASS: "IPM.Configuration.New", SUBJECT: "new settings",
        DICTIONARY: b"<new/>" * 20}, associated=True)


def op_change_associated(editor, base):
    mid = editor.messages(base.fid("Work"), True)[0]
    editor.change(base.fid("Work"), mid, {SUBJECT: "other settings",
                                          DICTIONARY: b"<changed/>" * 20})


def op_read(editor, base):
    editor.set_read(base.fid("Work"), base.mid("changed 1"), 4)
    editor.set_read(base.fid("Work"), base.mid("native 0"))


def present(editor, base, name, subjects):
    there = set(editor.messages(base.fid(name)))
    return [base.mid(s, name) for s in subjects if base.mid(s, name) in there]


def op_move(editor, base):
    editor.move(base.fid("Work"), base.fid("Archive"), present(
        editor, base, "Work", ("made 0", "changed 1", "native 0")))


def op_copy(editor, base):
    editor.move(base.fid("Work"), base.fid("Archive"),
                [base.mid("made 0"), base.mid("native 0")], copy=True)


def op_copy_here(editor, base):
    editor.move(base.fid("Work"), base.fid("Work"), [base.mid("changed 1")],
                copy=True)


def op_delete(editor, base):
    editor.delete(base.fid("Work"), present(
        editor, base, "Work", ("made 0", "changed 1", "native 0")))


def op_empty(editor, base):
    editor.empty_folder(base.fid("Doomed"))


def op_folder_create(editor, base):
    if "New" not in editor.folders():
        editor.create_folder(editor.special(IPM_SUBTREE), "New")


def op_folder_rename(editor, base):
    editor.move_folder(editor.special(IPM_SUBTREE),
                       editor.special(IPM_SUBTREE), base.fid("Doomed"),
                       "Renamed")


def op_folder_delete(editor, base):
    if "Doomed" not in editor.folders():
        return
    try:
        editor.delete_folder(editor.special(IPM_SUBTREE), base.fid("Doomed"))
    except RopError as exc:
        # half deleted, and noticed only now
        if exc.code != EC_NOT_FOUND:
            raise


def op_folder_copy(editor, base):
    folders = editor.folders()
    top = editor.special(IPM_SUBTREE)
    if "Copied" in folders:
        editor.delete_folder(top, folders["Copied"])
    editor.copy_folder(top, top, base.fid("Doomed"), "Copied")


def op_search(editor, base):
    folders = editor.folders(FINDER)
    fid = folders.get("More")
    if fid is None:
        fid = editor.create_folder(editor.special(FINDER), "More", kind=2)
    editor.set_criteria(fid, "native", [base.fid("Work"), base.fid("Archive")])
    editor.messages(fid)
    editor.close()


def op_search_delete(editor, base):
    folders = editor.folders(FINDER)
    if "Found" in folders:
        editor.delete_folder(editor.special(FINDER), folders["Found"])


def op_allot(editor, base):
    editor.named(f"Name {random.random()}")
    editor.reserve_ids(100)


OPERATIONS = {name[3:]: func for name, func in list(globals().items())
              if name.startswith("op_")}


class Attempt:
    """An operation in a session of its own, which may be killed in it"""

    def __init__(self, server, base, shim, operation, target, torn=False):
        self.error = None
        editor = Editor(server)
        shim.arm(target, torn)
        try:
            operation(editor, base)
        except (TestFailure, ValueError, OSError, struct.error,
                http.client.HTTPException) as exc:
            self.error = exc
        self.calls, self.died_of = shim.disarm()
        editor.raw.close()
        readlib.kill_workers(server)

    @property
    def acknowledged(self):
        return self.error is None


class Crashes:
    def __init__(self, server, shim):
        self.server, self.shim = server, shim
        self.base = Base(server)
        self.mailbox = Mailbox(server)
        self.random = random.Random(SEED)
        self.mailbox.keep()
        self.before = observe(server, self.base.defaults)
        check_agreement(self.before)

    def attempt(self, name, target, torn=False):
        return Attempt(self.server, self.base, self.shim, OPERATIONS[name],
                       target, torn)

    def observe(self):
        seen = observe(self.server, self.base.defaults)
        check_agreement(seen)
        return seen

    def run(self, name):
        """How many calls it was killed at"""
        self.mailbox.restore()
        done = self.attempt(name, -1)
        check(done.acknowledged, f"not even undisturbed: {done.error}")
        check(done.calls > 0, "nothing was written")
        after = self.observe()
        if self.server.format != "mdbox":
            check_recoverable(self.before, after, after)
        check_equal(self.mailbox.check(), (0, []), "doveadm mapi check")
        failures = 0
        for target in self.targets(done.calls):
            # by halves where that can be
            for torn in (False, True):
                if torn and not self.died_of.endswith("(by halves, too)"):
                    continue
                try:
                    self.run_at(name, target, torn, after)
                except Exception as exc:  # a mistake of this program, too
                    failures += 1
                    print(f"FAIL {name}, killed at call {target} of "
                          f"{done.calls}: {self.died_of}\n  "
                          f"{str(exc)[:3000]}", flush=True)
                    if not isinstance(exc, TestFailure):
                        traceback.print_exc(file=sys.stdout)
        check_equal(failures, 0, f"failures at {done.calls} calls")
        return done.calls

    def targets(self, calls):
        targets = range(1, calls + 1)
        if AT is not None:
            return AT
        if SAMPLES != "all":
            return self.random.sample(targets, min(calls, int(SAMPLES)))
        return targets

    def repair(self):
        """mdbox rebuilds its storage when it comes upon something in it, and then
        refuses for a moment to delete mailboxes, or brings back what has been
        deleted: that is repaired the next time."""
        for _ in range(3 if self.server.format == "mdbox" else 1):
            status, problems = self.mailbox.check("-r")
            left = self.mailbox.check()
            if (status, left) == (0, (0, [])):
                return
        raise TestFailure(f"doveadm mapi check -r: {status} {problems} "
                          f"{self.mailbox.errors}\n  afterwards {left}")

    def rebuild(self, after, seen):
        """An sdbox whose index is rebuilt finds again the files that there was no
        time to remove. What has been replaced is to go again."""
        subprocess.run([self.server.env["DOVEADM"], "force-resync", "-u",
                        self.server.users[0], "*"], stderr=subprocess.DEVNULL,
                       check=True)
        now = self.observe()
        check_kept(*map(without_flags, (self.before, after, seen, now)))
        return now

    def run_at(self, name, target, torn, after):
        self.died_of = ""
        self.mailbox.restore()
        killed = self.attempt(name, target, torn)
        self.died_of = killed.died_of
        seen = self.observe()
        if killed.acknowledged:
            check_equal(seen, after, "what was acknowledged")
        else:
            check(killed.died_of, f"it failed: {killed.error}")
            check_whole(self.before, after, seen)
            if self.server.format != "mdbox":
                check_recoverable(self.before, after, seen)
        if self.server.format == "sdbox" and name.startswith("change"):
            seen = self.rebuild(after, seen)
        _, problems = self.mailbox.check()
        kinds = {problem["problem"] for problem in problems}
        check(kinds <= COLLECTABLE, f"doveadm mapi check: {problems}")
        self.repair()
        check_kept(self.before, after, seen, self.observe())
        again = self.attempt(name, 0)
        if self.server.format == "mdbox" and not again.acknowledged:
            # a storage that lib-storage rebuilds whenever it looks, and that
            # forgets what is expunged: the manual says what to do
            self.server.doveadm("force-resync", "-u", self.server.users[0],
                                "*")
            again = self.attempt(name, 0)
        check(again.acknowledged, f"it can't be done again: {again.error}")
        self.observe()


SEED = int(os.environ.get("CRASH_SEED", "1"))
SAMPLES = os.environ.get("CRASH_SAMPLES", "2")
AT = [int(at) for at in os.environ["CRASH_AT"].split()] \
    if "CRASH_AT" in os.environ else None


def main():
    server = readlib.Server()
    crashes = Crashes(server, restart_with_shim(server, "mapi"))
    print(f"CRASH_SEED={SEED} CRASH_SAMPLES={SAMPLES}", flush=True)
    failures = 0
    for name in os.environ.get("CRASH_OPS", " ".join(OPERATIONS)).split():
        start = time.monotonic()
        try:
            calls = crashes.run(name)
        except Exception as exc:  # a mistake of this program, too
            failures += 1
            print(f"FAIL {name}: {exc}")
            if not isinstance(exc, TestFailure):
                traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok   {name}, {calls} calls "
                  f"({time.monotonic() - start:.1f} s)")
        sys.stdout.flush()
    sys.exit(1 if failures else 0)


main()
