# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operations during which a worker is killed at any moment.

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
from crashlib import Mailbox
from editlib import (
    BODY, CLASS, DICTIONARY, FINDER, FLAGS, SOFT_DELETES, SUBJECT, Editor,
    RopError)
from readlib import (
    TestFailure, check, check_equal, imap_ok, imap_quote, imap_session)
from submitlib import OUTBOX

SEED = int(os.environ.get("CRASH_SEED", "1"))
SAMPLES = os.environ.get("CRASH_SAMPLES", "2")
AT = [int(at) for at in os.environ["CRASH_AT"].split()] \
    if "CRASH_AT" in os.environ else None
# what may be left, which "doveadm mapi check" collects
COLLECTABLE = {"orphaned-bag", "superseded-bag", "orphaned-companion",
               "search-remains", "copy-remains", "log-conflict"}
EC_OBJECT_DELETED = 0x8004010A


# --- what there is ---------------------------------------------------------------

# deleted: [(folder, what a message has)] of what can be recovered; removed: {name: id}
# of folders that can be
Seen = collections.namedtuple("Seen",
                              "folders messages found imap deleted removed")


def observe(server, base):
    """Everything that clients see in the mailboxes of base.defaults, which are {user:
    names of folders that aren't looked at}. Folders of others than the first user
    are called user/name."""
    result = Seen({}, {}, {}, {}, [], {})
    for user, defaults in base.defaults.items():
        prefix = "" if user == server.users[0] else user + "/"
        editor = Editor(server, user)
        try:
            seen = observe_by(server, editor, user, defaults)
        finally:
            editor.close()
        result.folders.update((prefix + name, fid)
                              for name, fid in seen.folders.items())
        result.messages.update(((prefix + key[0], *key[1:]), values)
                               for key, values in seen.messages.items())
        result.found.update(seen.found if not prefix else {})
        result.imap.update((prefix + name, messages)
                           for name, messages in seen.imap.items())
        result.deleted.extend((prefix + name, values)
                              for name, values in seen.deleted)
        result.removed.update((prefix + name, fid)
                              for name, fid in seen.removed.items())
    return result


def shorten(value):
    return "sha256:" + readlib.sha256(value)[:16] \
        if isinstance(value, bytes) else value


def observe_by(server, editor, user, defaults):
    folders = {name: fid for name, fid in editor.folders().items()
               if name not in defaults}
    removed = editor.folders(flags=SOFT_DELETES)
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
    # which IMAP doesn't see
    outbox = editor.special(OUTBOX)
    for mid in editor.messages(outbox):
        messages["Outbox", False, mid] = tuple(
            shorten(value) for value in editor.read(outbox, mid, tags).values())
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
    return Seen(folders, messages, found, imap_state(server, user, folders),
                deleted, removed)


def imap_state(server, user, folders):
    """{mailbox: sorted (subject, seen)}"""
    result = {}
    with imap_session(server, user) as imap:
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


def folder_ids(state):
    """How often there is each folder, by user and id"""
    return collections.Counter(
        (name.partition("/")[0] if "@" in name else "", fid)
        for folders in (state.folders, state.removed)
        for name, fid in folders.items())


def check_whole(before, after, seen):
    """Nothing is half done that can't be, and nothing is lost."""
    for name in seen.folders:
        check(name in before.folders or name in after.folders,
              f"folder {name} appeared")
    for name in set(before.folders) & set(after.folders):
        check_equal(seen.folders.get(name), before.folders[name],
                    f"folder {name}")
    there = folder_ids(seen)
    for fid in set(folder_ids(before)) & set(folder_ids(after)):
        check_equal(there[fid], 1, f"folder {fid}")
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
    # a folder appears with all that is in it
    for name in set(seen.folders) & set(after.folders) - set(before.folders):
        check_equal(*(sorted(repr((key[1], values)) for key, values in
                             state.messages.items() if key[0] == name)
                      for state in (seen, after)), f"messages of {name}")
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
    # but for what was to be recovered, or deleted for good
    found = set(deleted) | set(seen.messages.values())
    wanted = kept | {values for _, values in after.deleted}
    for _, values in before.deleted:
        check(values in found or values not in wanted,
              f"it can't be recovered any more: {values}")
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


# --- trying them -----------------------------------------------------------------

class Attempt:
    """An operation in a session of its own, which may be killed in it"""

    def __init__(self, server, base, shim, operation, target, torn=False):
        self.error = None
        editor = base.session()
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


# operations that delete what can't be recovered then
FOR_GOOD = {"purge"}


class Crashes:
    """base has: defaults, as of observe(); session(), which opens one. operations:
    {name: function of a session and base}"""

    def __init__(self, server, shim, base, operations):
        self.server, self.shim, self.base = server, shim, base
        self.operations = operations
        self.mailboxes = [Mailbox(server, user) for user in base.defaults]
        self.random = random.Random(SEED)
        for mailbox in self.mailboxes:
            mailbox.keep()
        self.before = observe(server, base)
        check_agreement(self.before)

    def attempt(self, name, target, torn=False):
        return Attempt(self.server, self.base, self.shim,
                       self.operations[name], target, torn)

    def observe(self):
        seen = observe(self.server, self.base)
        try:
            check_agreement(seen)
        except TestFailure:
            if self.server.format != "mdbox":
                raise
            # It has been rebuilt after MAPI had looked: now both see the same.
            seen = observe(self.server, self.base)
            check_agreement(seen)
        return seen

    def restore(self):
        for mailbox in self.mailboxes:
            mailbox.restore()

    def check(self, *args):
        """(exit status, problems) of "doveadm mapi check\""""
        results = [mailbox.check(*args) for mailbox in self.mailboxes]
        return (max(status for status, _ in results),
                [problem for _, problems in results for problem in problems])

    def check_recoverable(self, name, after, seen):
        if self.server.format != "mdbox" and name not in FOR_GOOD:
            check_recoverable(self.before, after, seen)

    def force_resync(self):
        for mailbox in self.mailboxes:
            subprocess.run([self.server.env["DOVEADM"], "force-resync", "-u",
                            mailbox.user, "*"], stderr=subprocess.DEVNULL,
                           check=True)

    def run(self, name):
        """How many calls it was killed at"""
        self.restore()
        done = self.attempt(name, -1)
        check(done.acknowledged, f"not even undisturbed: {done.error}")
        check(done.calls > 0, "nothing was written")
        after = self.observe()
        self.check_recoverable(name, after, after)
        check_equal(self.check(), (0, []), "doveadm mapi check")
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
            status, problems = self.check("-r")
            left = self.check()
            if (status, left) == (0, (0, [])):
                return
        errors = "".join(mailbox.errors for mailbox in self.mailboxes)
        raise TestFailure(f"doveadm mapi check -r: {status} {problems} "
                          f"{errors}\n  afterwards {left}")

    def rebuild(self, after, seen):
        """An sdbox whose index is rebuilt finds again the files that there was no
        time to remove. What has been replaced is to go again, also when "doveadm
        mapi check" has collected what was left over."""
        self.force_resync()
        now = self.observe()
        check_kept(*map(without_flags, (self.before, after, seen, now)))
        return now

    def run_at(self, name, target, torn, after):
        self.died_of = ""
        self.restore()
        killed = self.attempt(name, target, torn)
        self.died_of = killed.died_of
        seen = self.observe()
        if killed.acknowledged:
            check_equal(seen, after, "what was acknowledged")
        else:
            check(killed.died_of, f"it failed: {killed.error}")
            check_whole(self.before, after, seen)
            self.check_recoverable(name, after, seen)
        rebuild = self.server.format == "sdbox" and name.startswith("change")
        if rebuild and target % 2 == 0:
            seen = self.rebuild(after, seen)
        _, problems = self.check()
        kinds = {problem["problem"] for problem in problems}
        check(kinds <= COLLECTABLE, f"doveadm mapi check: {problems}")
        self.repair()
        if rebuild:
            # what has been collected may be needed now
            seen = self.rebuild(after, seen)
        check_kept(self.before, after, seen, self.observe())
        again = self.attempt(name, 0)
        if self.server.format == "mdbox" and not again.acknowledged:
            # a storage that lib-storage rebuilds whenever it looks, and that
            # forgets what is expunged: the manual says what to do
            self.force_resync()
            again = self.attempt(name, 0)
        check(again.acknowledged, f"it can't be done again: {again.error}")
        self.observe()


def find_operations(module):
    """{name: function} of what is called op_name"""
    return {name[3:]: func for name, func in module.items()
            if name.startswith("op_")}


def run_all(server, shim, base, module):
    """The operations of a module (its globals()); exits."""
    operations = find_operations(module)
    crashes = Crashes(server, shim, base, operations)
    print(f"CRASH_SEED={SEED} CRASH_SAMPLES={SAMPLES}", flush=True)
    failures = 0
    for name in os.environ.get("CRASH_OPS", " ".join(operations)).split():
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
