#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: plugin-bags.conf
"""With the mail plugin property bags follow messages that IMAP and doveadm copy, move and
expunge, before any MAPI session looks."""

import json
import subprocess

import readlib
from editlib import BODY, CLASS, SUBJECT, Editor
from readlib import append, check, check_equal, imap_ok, imap_quote, \
    imap_session

ROOT = "mapi-internal"


class Mailbox:
    """A folder with messages that have bags"""

    def __init__(self, server, name, count=2):
        self.server, self.name = server, name
        append(server, name, b"Subject: native\r\n\r\ntext\r\n")
        editor = Editor(server)
        self.blob = editor.named("Document") << 16 | 0x0102
        self.fid = editor.folders()[name]
        for i in range(count):
            editor.create(self.fid, {
                CLASS: "IPM.Note", SUBJECT: f"{name} {i}", BODY: "text",
                self.blob: b"blob %d" % i})
        editor.close()

    def blobs(self):
        """{subject: blob} by MAPI"""
        editor = Editor(self.server)
        result = {}
        for mid in editor.messages(self.fid):
            values = editor.read(self.fid, mid, [SUBJECT, self.blob])
            result[values[SUBJECT]] = values[self.blob]
        editor.close()
        return result

    def bags(self):
        return bags(self.server, self.fid)


def bags(server, fid):
    """How many there are, without a look by MAPI"""
    number = int.from_bytes(fid[2:], "big")
    out = subprocess.run(
        [server.env["DOVEADM"], "-f", "json", "fetch", "-u", server.users[0],
         "uid", "mailbox", f"{ROOT}/bags-{number}"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return len(json.loads(out or "[]"))


def clean(server):
    proc = subprocess.run(
        [server.env["DOVEADM"], "-f", "tab", "mapi", "check", "-u",
         server.users[0], "-a", "0"], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    check_equal((proc.returncode, len(proc.stdout.splitlines())), (0, 1),
                f"doveadm mapi check: {proc.stdout}")


def uids(imap, subject):
    return ",".join(imap_ok(imap.uid(
        "SEARCH", "HEADER", "SUBJECT", imap_quote(subject)))[0].decode().split())


def test_imap_copy(server):
    source, dest = Mailbox(server, "A1"), Mailbox(server, "A2", 0)
    with imap_session(server) as imap:
        imap_ok(imap.select("A1"))
        imap_ok(imap.uid("COPY", uids(imap, "A1"), "A2"))
    check_equal((source.bags(), dest.bags()), (2, 2), "bags")
    clean(server)
    check_equal(dest.blobs(), {"native": None, "A1 0": b"blob 0",
                               "A1 1": b"blob 1"}, "copies")
    check_equal(source.blobs()["A1 0"], b"blob 0", "originals")


def test_imap_move(server):
    source, dest = Mailbox(server, "B1"), Mailbox(server, "B2", 0)
    with imap_session(server) as imap:
        imap_ok(imap.select("B1"))
        imap_ok(imap.uid("MOVE", uids(imap, "B1 1"), "B2"))
        check_equal((source.bags(), dest.bags()), (1, 1), "bags")
        # and back
        imap_ok(imap.select("B2"))
        imap_ok(imap.uid("MOVE", uids(imap, "B1 1"), "B1"))
    check_equal((source.bags(), dest.bags()), (2, 0), "bags")
    clean(server)
    check_equal(source.blobs(), {"native": None, "B1 0": b"blob 0",
                                 "B1 1": b"blob 1"}, "messages")


def test_imap_move_by_hand(server):
    """Copy, mark, expunge: in two sessions, to a folder that MAPI has never seen"""
    source = Mailbox(server, "C1")
    with imap_session(server) as imap:
        imap_ok(imap.create("C2"))
        imap_ok(imap.select("C1"))
        imap_ok(imap.uid("COPY", uids(imap, "C1 0"), "C2"))
    with imap_session(server) as imap:
        imap_ok(imap.select("C1"))
        imap_ok(imap.uid("STORE", uids(imap, "C1 0"), "+FLAGS", "\\Deleted"))
        imap_ok(imap.expunge())
    check_equal(source.bags(), 1, "bags of C1")
    clean(server)
    editor = Editor(server)
    source.fid = editor.folders()["C2"]
    editor.close()
    check_equal(source.bags(), 1, "bags of C2")
    check_equal(source.blobs(), {"C1 0": b"blob 0"}, "C2")


def test_imap_expunge(server):
    box = Mailbox(server, "D1", 3)
    with imap_session(server) as imap:
        imap_ok(imap.select("D1"))
        imap_ok(imap.store("1:2", "+FLAGS", "\\Deleted"))
        imap_ok(imap.close())
    check_equal(box.bags(), 2, "bags")
    clean(server)
    check_equal(box.blobs(), {"D1 1": b"blob 1", "D1 2": b"blob 2"}, "left")


def test_imap_delete_folder(server):
    box = Mailbox(server, "E1")
    with imap_session(server) as imap:
        imap_ok(imap.delete("E1"))
    check_equal(box.bags(), 0, "bags")
    # the mailbox that they were in
    server.doveadm("mapi", "check", "-u", server.users[0], "-r")
    clean(server)


def test_doveadm(server):
    source, dest = Mailbox(server, "F1", 4), Mailbox(server, "F2", 0)
    user = server.users[0]
    server.doveadm("move", "-u", user, "F2", "mailbox", "F1", "subject",
                   "F1 0")
    server.doveadm("copy", "-u", user, "F2", "mailbox", "F1", "subject",
                   "F1 1")
    server.doveadm("expunge", "-u", user, "mailbox", "F1", "subject", "F1 2")
    check_equal((source.bags(), dest.bags()), (2, 2), "bags")
    clean(server)
    check_equal(source.blobs(), {"native": None, "F1 1": b"blob 1",
                                 "F1 3": b"blob 3"}, "F1")
    check_equal(dest.blobs(), {"native": None, "F1 0": b"blob 0",
                               "F1 1": b"blob 1"}, "F2")


def test_refused(server):
    """What may not be expunged keeps its bag."""
    box = Mailbox(server, "G1")
    server.doveadm("acl", "set", "-u", server.users[0], "G1", "owner",
                   "lookup", "read", "write", "write-seen", "write-deleted")
    with imap_session(server) as imap:
        imap_ok(imap.select("G1"))
        imap.store("1:*", "+FLAGS", "\\Deleted")
        imap.expunge()
    server.doveadm("acl", "delete", "-u", server.users[0], "G1", "owner")
    check_equal(box.bags(), 2, "bags")
    check_equal(len(box.blobs()), 3, "messages")
    clean(server)


def test_other_namespace(server):
    """There are no folders of MAPI elsewhere. What goes away and comes back is a mail
    as any."""
    box = Mailbox(server, "H1")
    with imap_session(server) as imap:
        imap.create("Else/Where")
        imap_ok(imap.select("H1"))
        imap_ok(imap.uid("COPY", uids(imap, "H1 0"), "Else/Where"))
        imap_ok(imap.uid("MOVE", uids(imap, "H1 1"), "Else/Where"))
        check_equal(box.bags(), 1, "bags")
        imap_ok(imap.select("Else/Where"))
        imap_ok(imap.uid("MOVE", "1:*", "H1"))
    clean(server)
    check_equal(sorted(box.blobs()), ["H1 0", "H1 1", "native"], "messages")


def test_no_mapi(server):
    """Nothing is made for users who don't use MAPI."""
    user = server.users[2]
    append(server, "A", b"Subject: x\r\n\r\nx\r\n", user=user)
    with imap_session(server, user) as imap:
        imap_ok(imap.create("B"))
        imap_ok(imap.select("A"))
        imap_ok(imap.uid("MOVE", "1:*", "B"))
    left = server.doveadm("mailbox", "list", "-u", user)
    check(ROOT not in left, left)


def test_hidden(server):
    """It's still hidden from a process that has looked at it."""
    Mailbox(server, "I1")
    with imap_session(server) as imap:
        imap_ok(imap.create("I2"))
        imap_ok(imap.select("I1"))
        imap_ok(imap.uid("MOVE", uids(imap, "I1"), "I2"))
        names = [line.decode() for line in imap_ok(imap.list())]
        check(not any(ROOT in name for name in names), f"{names}")
        check_equal(imap.select(f"{ROOT}/allotments")[0], "NO", "SELECT")


readlib.main()
