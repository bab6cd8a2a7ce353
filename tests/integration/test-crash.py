#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
# may-log: child [0-9]+ killed with signal 9
"""A worker that is killed at any moment of any change: see crashops.py. Changes of
two mailboxes are in test-crash-between.py."""

import os
import random
import struct
import time

import readlib
from crashlib import restart_with_shim
from crashops import run_all
from deferredlib import DEFERRED_DELIVERY_TIME, queue_setting
from editlib import (
    BODY, CLASS, DICTIONARY, FINDER, IPM_SUBTREE, SOFT_DELETES, SUBJECT, Editor,
    RopError)
from readlib import append
from submitlib import ABORT_SUBMIT, EC_SUBMITTED, OUTBOX, SUBMIT, smtp_row

EC_NOT_FOUND = 0x8004010F
REPRESENTING_SMTP = 0x5D02001F
FOLDERS = ("Work", "Archive", "Doomed")
DOCUMENT = b"\x00\x01binary\xff" * 300


class Base:
    """The mailbox before each operation."""

    def __init__(self, server):
        self.server = server
        editor = Editor(server)
        self.defaults = {server.users[0]: set(editor.folders())}
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
        # one that is deleted, with another one
        top = editor.create_folder(editor.special(IPM_SUBTREE), "Dropped")
        for fid, name in ((top, "Dropped"), (
                editor.create_folder(top, "Dropped part"), "Dropped part")):
            editor.create(fid, {CLASS: "IPM.Note", SUBJECT: f"made in {name}",
                                BODY: "Body", self.blob: DOCUMENT})
        self.folders["Dropped"] = top
        editor.delete_folder(editor.special(IPM_SUBTREE), top)
        search = editor.create_folder(editor.special(FINDER), "Found", kind=2)
        editor.set_criteria(search, "made", [self.folders["Work"]])
        editor.messages(search)
        self.mids["Outbox"] = {"to be held": self.create_held(editor)}
        editor.close()

    def session(self):
        return Editor(self.server)

    def create_held(self, editor):
        """A message that is to be sent in a year"""
        outbox = editor.special(OUTBOX)
        mid = editor.create(outbox, {CLASS: "IPM.Note", SUBJECT: "to be held",
                                     REPRESENTING_SMTP: self.server.users[0],
                                     self.blob: DOCUMENT})
        handle = editor.open_message(outbox, mid)
        due = int((time.time() + 365 * 86400 + 11644473600) * 10000000)
        editor.rop("RopSetProperties", struct.pack(
            "<BBBHHIQ", 0x0A, 0, 0, 14, 1, DEFERRED_DELIVERY_TIME, due),
            [handle])
        row = smtp_row("somebody@example.net", "Somebody")
        editor.rop("RopModifyRecipients", struct.pack(
            "<BBBHHIBH", 0x0E, 0, 0, 0, 1, 0, 1, len(row)) + row, [handle])
        editor.save(handle)
        return mid

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


def op_purge(editor, base):
    editor.purge_folder(base.fid("Doomed"))


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


def op_folder_recover(editor, base):
    tree, top = editor.special(IPM_SUBTREE), base.fid("Dropped")
    if "Dropped" not in editor.folders():
        editor.move_folder(tree, tree, top, "")
    # what had no time to come with it
    for fid in editor.folders(top, SOFT_DELETES).values():
        editor.move_folder(top, top, fid, "")


def op_folder_purge(editor, base):
    for name, fid in editor.folders(flags=SOFT_DELETES).items():
        # the other one goes with the first, unless that's gone already
        if name in ("Dropped", "Dropped part"):
            editor.delete_folder(editor.special(IPM_SUBTREE), fid, hard=True)


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


def op_hold(editor, base):
    """For now it isn't sent."""
    mid = base.mid("to be held", "Outbox")
    handle = editor.open_message(editor.special(OUTBOX), mid)
    submit = struct.pack("<BBBB", SUBMIT, 0, 0, 0)
    try:
        editor.rop("RopSubmitMessage", submit, [handle])
    except RopError as exc:
        # it has been held before
        if exc.code != EC_SUBMITTED:
            raise
        editor.rop("RopAbortSubmit", struct.pack(
            "<BBB", ABORT_SUBMIT, 0, 0) + editor.special(OUTBOX) +
            struct.pack("<Q", mid), [editor.logon])
        editor.rop("RopSubmitMessage", submit, [handle])


def op_allot(editor, base):
    editor.named(f"Name {random.random()}")
    editor.reserve_ids(100)


def main():
    server = readlib.Server()
    config = os.path.join(os.environ["TEST_TMP"], "queue.conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write(queue_setting(server) + "\n")
    shim = restart_with_shim(server, "mapi", config)
    run_all(server, shim, Base(server), globals())


main()
