# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of other users' mailboxes share: a session that writes there, and
folders with something in them."""

import struct

import rawmapi
import savelib
import writelib
from permlib import ADD, Client, user_dn
from readlib import append, check_equal
from savelib import BODY, MID, SUBJECT
from writelib import NONE

INBOX = 4
NOTE = (savelib.PS_PUBLIC_STRINGS, "x-of-a-test")


class OtherLogon(rawmapi.RawMapi):
    """Another logon of a session: its number is in all requests."""

    def __init__(self, raw, owner, number):
        self.session, self.owner, self.number = raw, owner, number

    def dn(self):
        return user_dn(self.owner)

    def execute(self, rops, handles):
        return self.session.execute(
            rops[:1] + bytes([self.number]) + rops[2:], handles)


class Session(savelib.Session):
    """A session that writes; a logon to owner's mailbox if it's given."""

    def __init__(self, server, user=None, owner=None):
        self.raw = rawmapi.RawMapi(server, user, timeout=120)
        self.raw.connect()
        if owner is not None:
            self.raw.dn = lambda: user_dn(owner)
        self.logon = self.raw.logon()
        self.inbox_id = self.raw.logon_ids[INBOX]

    def other(self, owner, number=1):
        """One more logon of this session, to owner's mailbox"""
        other = Session.__new__(Session)
        other.raw = OtherLogon(self.raw, owner, number)
        other.logon = other.raw.logon()
        other.inbox_id = other.raw.logon_ids[INBOX]
        return other

    def folder(self, folder_id):
        """The handle of a folder"""
        return self.raw.open_folder(self.logon, folder_id)

    def errors(self, func, *args, **kwargs):
        """The error that something ends with; 0 for none"""
        try:
            func(*args, **kwargs)
        except savelib.Error as exc:
            return exc.code
        return 0

    def store(self, folder_id, subject, fai=False, named=None):
        """The id of a new message"""
        message = self.create(folder_id, fai)
        self.set(message, {SUBJECT: subject, BODY: "body of " + subject})
        if named is not None:
            tag = self.ids([NOTE])[0] << 16 | 0x1F
            self.set(message, {tag: named})
        mid = self.save(message)
        self.release(message)
        return mid

    def subjects(self, folder_id, fai=False):
        return sorted(row[SUBJECT] for row in
                      self.contents(folder_id, (MID, SUBJECT), fai))

    def named(self, mid, folder_id):
        message = self.open_message(mid, folder_id)
        tag = self.ids([NOTE])[0] << 16 | 0x1F
        value = self.get_one(message, tag)
        self.release(message)
        return value


def prepare(server, name, rights, member=None, user=None):
    """A folder with a message, one with a property of its own, and an FAI
    message; a member has rights. (FID, MID of the second, MID of the FAI)"""
    append(server, name, writelib.mail("in " + name), user=user)
    owner = Session(server, user)
    fid = owner.folder_id(name)
    mid = owner.store(fid, "saved in " + name, named="note in " + name)
    fai = owner.store(fid, "view of " + name, fai=True)
    owner.close()
    client = Client(server, user)
    if rights is not None:
        check_equal(client.modify(client.open_fid(fid)[1],
                                  (ADD, member or server.users[1], rights)),
                    0, "rights")
    client.close()
    return fid, mid, fai


def client_rop(session, rop, folder, mids):
    """What deleting messages returns"""
    answer = session.raw.execute(
        bytes([rop, 0, 0, 0, 0]) + struct.pack("<H", len(mids)) +
        struct.pack(f"<{len(mids)}Q", *mids), [folder])
    return answer.return_value()


def create_folder(session, parent, name, kind=1):
    text = name.encode("utf-16le") + b"\0\0"
    return session.errors(session.rop, 0x1C, struct.pack(
        "<BBBB", kind, 1, 0, 0) + text + b"\0\0", [parent, NONE], 1)


def delete_folder(session, parent, fid):
    return session.errors(session.rop, 0x1D, b"\x05" + fid, [parent])


def copy(session, source, dest, mid, move=False):
    answer = session.raw.execute(struct.pack(
        "<BBBBHQBB", 0x33, 0, 0, 1, 1, mid, 0, 0 if move else 1),
        [source, dest])
    return answer.return_value()


def deleted_messages(session, folder):
    """How many soft-deleted messages there are, or the error"""
    answer = session.raw.execute(bytes([0x05, 0, 0, 1, 0x20]), [folder, NONE])
    if answer.return_value() != 0:
        return answer.return_value()
    return struct.unpack_from("<I", answer.rops, 6)[0]


def open_deleted(session, fid, mid):
    answer = session.raw.execute(
        struct.pack("<BBBBH", 0x03, 0, 0, 1, 0x0fff) + fid +
        struct.pack("<BQ", 4, mid), [session.logon, NONE])
    return answer.return_value()
