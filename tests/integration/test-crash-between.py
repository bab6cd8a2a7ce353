#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
# timeout: 900
# may-log: child [0-9]+ killed with signal 9
"""A worker that is killed at any moment while it copies or moves something from one
mailbox to another: see crashops.py. A secretary has her own mailbox open, and that
of her manager."""

import os

import readlib
from crashlib import restart_with_shim
from crashops import EC_OBJECT_DELETED, run_all
from delegatelib import OtherLogon
from editlib import (
    BODY, CLASS, DICTIONARY, IPM_SUBTREE, ROP_COPY_FOLDER, ROP_DELETE_FOLDER,
    ROP_MOVE_COPY, ROP_MOVE_FOLDER, SUBJECT, Editor, RopError, utf16)
from permlib import ADD, AUTHOR, FULL_OWNER, Client
from readlib import append, check_equal

EC_NOT_FOUND = 0x8004010F
# DEL_MESSAGES, DEL_FOLDERS, DELETE_HARD_DELETE
DELETE_ALL = 0x15
FOLDERS = ("Work", "Project", "Project/Part")
# the manager's, in which the secretary may copy and delete what is her own
OWN = "Own"
DOCUMENT = b"\x00\x01binary\xff" * 300
REPRESENTING_SMTP = 0x5D02001F
# comes before the subject, which an mdbox would hide when it mends what was half
# written
FROM = {REPRESENTING_SMTP: "a@example.net"}


class Session(Editor):
    """The secretary's; .other is the manager's mailbox in the same session."""

    def __init__(self, server):
        super().__init__(server, server.users[1])
        self.other = Editor.__new__(Editor)
        self.other.raw = OtherLogon(self.raw, server.users[0], 1)
        self.other.logon = self.other.raw.logon()
        self.other.handles = {}


class Base:
    """The same folders in both mailboxes; there's a message, FAI messages and more in
    each."""

    def __init__(self, server):
        self.server = server
        self.defaults, self.folders, self.mids = {}, {}, {}
        for user in server.users[:2]:
            self.prepare(user)
        client = Client(server)
        append(server, OWN, b"Subject: not hers\r\n\r\nText\r\n")
        self.own = client.fids()[OWN]
        for fid, rights in [(self.folders[server.users[0]][name], FULL_OWNER)
                            for name in FOLDERS] + [(self.own, AUTHOR)]:
            check_equal(client.modify(client.open_fid(fid)[1],
                                      (ADD, server.users[1], rights)), 0,
                        "rights")
        client.close()
        session = self.session()
        self.own_mids = [session.other.create(self.own, {
            CLASS: "IPM.Note", SUBJECT: f"hers {i}", BODY: f"Body {i}", **FROM})
            for i in range(2)]
        session.close()

    def prepare(self, user):
        editor = Editor(self.server, user)
        self.defaults[user] = set(editor.folders())
        editor.close()
        for name in FOLDERS:
            append(self.server, name, f"From: a@example.net\r\nSubject: native "
                   f"of {user}\r\n\r\nText\r\n".encode(), user=user)
        editor = Editor(self.server, user)
        blob = editor.named("Document") << 16 | 0x0102
        folders = editor.folders()
        for name in FOLDERS:
            fid = folders[name]
            mids = [editor.create(fid, {
                CLASS: "IPM.Note", SUBJECT: f"made {i} by {user} in {name}",
                BODY: f"Body {i}", blob: DOCUMENT + bytes([i]), **FROM})
                for i in range(2)]
            # it has replaced another one
            editor.change(fid, mids[1],
                          {SUBJECT: f"changed by {user} in {name}"})
            editor.create(fid, {CLASS: "IPM.Configuration.Test",
                                SUBJECT: f"settings of {user} in {name}",
                                DICTIONARY: b"<xml/>" * 20}, associated=True)
        self.folders[user] = folders
        self.mids[user] = {name: editor.messages(folders[name]) +
                           editor.messages(folders[name], True)
                           for name in FOLDERS}
        editor.close()

    def session(self):
        return Session(self.server)


class Way:
    """From one of the mailboxes to the other: there to the manager's, else to the
    secretary's"""

    def __init__(self, session, base, there):
        users = base.server.users[:2]
        self.source, self.dest = (session, session.other) if there else \
            (session.other, session)
        self.user, self.dest_user = reversed(users) if there else users
        self.base = base

    def messages(self, copy):
        """All those of Work, FAI messages too"""
        fid = self.base.folders[self.user]["Work"]
        dest_fid = self.base.folders[self.dest_user]["Work"]
        there = set(self.source.messages(fid) +
                    self.source.messages(fid, True))
        self.source.on_mids(
            "RopMoveCopyMessages", ROP_MOVE_COPY,
            [self.source.open(fid), self.dest.open(dest_fid)],
            [mid for mid in self.base.mids[self.user]["Work"]
             if mid in there], head=b"\1", tail=bytes([0, copy]))

    def folder(self, copy):
        """Project with its subfolder, as New in the other's Work"""
        fid = self.base.folders[self.user]["Project"]
        dest_fid = self.base.folders[self.dest_user]["Work"]
        if "Project" not in self.source.folders():
            return
        new = self.dest.folders().get("Work/New")
        if new is not None:
            self.dest.on_folder("RopDeleteFolder", ROP_DELETE_FOLDER,
                                [self.dest.open(dest_fid)],
                                bytes([DELETE_ALL]) + new)
        rop = ROP_COPY_FOLDER if copy else ROP_MOVE_FOLDER
        try:
            self.source.on_folder(
                "RopCopyFolder" if copy else "RopMoveFolder", rop,
                [self.source.open(self.source.special(IPM_SUBTREE)),
                 self.dest.open(dest_fid)],
                (b"\1\0\1\1" if copy else b"\1\0\1") + fid + utf16("New"))
        except RopError as exc:
            # half deleted, which lib-storage takes back after some minutes, or
            # which is noticed only now
            if copy or exc.code not in (EC_OBJECT_DELETED, EC_NOT_FOUND):
                raise


def op_copy(session, base):
    Way(session, base, False).messages(True)


def op_copy_there(session, base):
    Way(session, base, True).messages(True)


def op_move(session, base):
    Way(session, base, False).messages(False)


def op_move_there(session, base):
    Way(session, base, True).messages(False)


def op_folder_copy(session, base):
    Way(session, base, False).folder(True)


def op_folder_copy_there(session, base):
    Way(session, base, True).folder(True)


def op_folder_move(session, base):
    Way(session, base, False).folder(False)


def op_folder_move_there(session, base):
    Way(session, base, True).folder(False)


def op_copy_own(session, base):
    """Each gets a bag that says who has created the copy, and another GUID."""
    user = base.server.users[1]
    session.on_mids("RopMoveCopyMessages", ROP_MOVE_COPY,
                    [session.open(base.folders[user]["Work"]),
                     session.other.open(base.own)],
                    session.messages(base.folders[user]["Work"]), head=b"\1",
                    tail=b"\0\1")


def op_delete_own(session, base):
    there = session.other.messages(base.own)
    session.other.delete(base.own, [mid for mid in base.own_mids
                                    if mid in there])


def main():
    server = readlib.Server()
    shim = restart_with_shim(server, "mapi", os.path.join(
        os.environ["TESTS"], "delegates.conf"), all_users=True)
    run_all(server, shim, Base(server), globals())


main()
