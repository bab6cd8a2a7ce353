#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# config: plugin-bags.conf
# may-log: child [0-9]+ killed with signal 9
"""An IMAP session with the mail plugin that is killed at any change of the mail while
it expunges or moves messages: each message that is there has its property bag, also
when the index is rebuilt afterwards.

CRASH_SAMPLES calls of each operation are tried, or "all": so it is by default in an
sdbox, where the index and the files are two things."""

import imaplib
import os
import time

import readlib
from crashlib import Mailbox, restart_with_shim
from editlib import BODY, CLASS, SUBJECT, Editor
from readlib import TestFailure, append, check, check_equal, imap_ok, \
    imap_session, processes, wait_for

FOLDERS = ("Here", "There")
BLOBS = {f"made {i}": b"blob %d" % i for i in range(3)}


def blobs(server):
    """{folder: {subject: blob}}"""
    editor = Editor(server)
    try:
        blob = editor.named("Document") << 16 | 0x0102
        folders = editor.folders()
        result = {}
        for name in FOLDERS:
            found = [editor.read(folders[name], mid, [SUBJECT, blob])
                     for mid in editor.messages(folders[name])]
            result[name] = sorted((values[SUBJECT], values[blob])
                                  for values in found)
        return result
    finally:
        editor.close()


def prepare(server):
    for name in FOLDERS:
        append(server, name, b"Subject: native\r\n\r\ntext\r\n")
    editor = Editor(server)
    blob = editor.named("Document") << 16 | 0x0102
    folders = editor.folders()
    for subject, value in BLOBS.items():
        editor.create(folders["Here"], {
            CLASS: "IPM.Note", SUBJECT: subject, BODY: "text", blob: value})
    # a mailbox for bags
    mid = editor.create(folders["There"], {
        CLASS: "IPM.Note", SUBJECT: "gone", BODY: "text", blob: b"gone"})
    editor.delete(folders["There"], [mid])
    editor.close()


def expunge(imap):
    imap_ok(imap.uid("STORE", uids(imap), "+FLAGS", "\\Deleted"))
    imap_ok(imap.expunge())


def move(imap):
    imap_ok(imap.uid("MOVE", uids(imap), "There"))


def uids(imap):
    """Of the first two that have bags"""
    found = []
    for subject in ("made 0", "made 1"):
        found += imap_ok(imap.uid("SEARCH", "HEADER", "SUBJECT",
                                  f'"{subject}"'))[0].decode().split()
    return ",".join(found)


class Attempt:
    def __init__(self, server, shim, operation, target):
        self.acknowledged = True
        with imap_session(server) as imap:
            imap_ok(imap.select("Here"))
            shim.arm(target)
            try:
                operation(imap)
            except (imaplib.IMAP4.abort, OSError):
                self.acknowledged = False
            self.calls, self.died_of = shim.disarm()
        wait_for("the end of the session",
                 lambda: not processes(server, "imap"))
        # and locks of it that would have to grow old
        readlib.kill_workers(server)


def check_messages(server, operation):
    """Those that were left alone are where they were, and those that are anywhere are
    what they were."""
    found = blobs(server)
    check(("made 2", BLOBS["made 2"]) in found["Here"], f"it's gone: {found}")
    for name in FOLDERS:
        for subject, value in found[name]:
            if (operation is move and name == "There" and value is None and
                    server.format == "maildir" and
                    (subject, BLOBS.get(subject)) in found["Here"]):
                # The file was moved to its folder and not written down in
                # dovecot-uidlist, so the copy has another GUID.
                continue
            check_equal(value, BLOBS.get(subject), f"{name}, {subject}")
    everywhere = dict(found["There"] + found["Here"])
    if operation is move:
        check_equal(everywhere, {"native": None, **BLOBS}, "messages")
    return found


def run_at(server, shim, mailbox, operation, target, after):
    mailbox.restore()
    attempt = Attempt(server, shim, operation, target)
    try:
        found = check_messages(server, operation)
        if attempt.acknowledged:
            check_equal(found, after, "what was acknowledged")
        # what has been removed from the index and not from the disk is back
        server.doveadm("force-resync", "-u", server.users[0], "*")
        check_messages(server, operation)
    except TestFailure as exc:
        raise TestFailure(f"killed at call {target}: {attempt.died_of}\n  "
                          f"{exc}") from exc


def targets(server, calls):
    samples = os.environ.get("CRASH_SAMPLES",
                             "all" if server.format == "sdbox" else "8")
    step = 1 if samples == "all" else max(1, calls // int(samples))
    return range(1, calls + 1, step)


def run(server, shim, mailbox, operation):
    start = time.monotonic()
    mailbox.restore()
    done = Attempt(server, shim, operation, -1)
    check(done.acknowledged and done.calls > 0, "it failed undisturbed")
    after = blobs(server)
    failures = 0
    for target in targets(server, done.calls):
        try:
            run_at(server, shim, mailbox, operation, target, after)
        except TestFailure as exc:
            failures += 1
            print(f"FAIL {operation.__name__}, {exc}", flush=True)
    print(f"{'FAIL' if failures else 'ok  '} {operation.__name__}, {done.calls} "
          f"calls ({time.monotonic() - start:.1f} s)", flush=True)
    return failures


def main():
    server = readlib.Server()
    shim = restart_with_shim(server, "imap", os.path.join(
        os.environ["TESTS"], "plugin-bags.conf"))
    prepare(server)
    mailbox = Mailbox(server)
    mailbox.keep()
    failures = sum(run(server, shim, mailbox, operation)
                   for operation in (expunge, move))
    raise SystemExit(1 if failures else 0)


main()
