# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of changing messages share: mail, what IMAP says of it, a MAPI
session that changes it."""

import re
import struct
from email.message import EmailMessage

import readlib
import rawmapi
from rawmapi import RawMapi
from readlib import check_equal, imap_ok, imap_quote

NONE = 0xffffffff
MID, CN = 0x674A0014, 0x67A40014
FLAGS, STATUS, CHANGE_KEY = 0x0E070003, 0x0E170003, 0x65E20102
READ, NOTIFY_READ = 1, 0x100
EC_DST_NULL_OBJECT, EC_NOT_FOUND = 0x503, 0x8004010F
EC_OBJECT_DELETED = 0x8004010A
SET_MESSAGE_READ_FLAG, DELETE, GET_STATUS, SET_STATUS = 0x11, 0x1E, 0x1F, 0x20
MOVE_COPY, SET_READ_FLAGS, HARD_DELETE = 0x33, 0x66, 0x91


def mail(subject, receipt=False, size=0):
    msg = EmailMessage()
    msg["From"] = "sender@example.net"
    msg["To"] = "alice@example.org"
    msg["Subject"] = subject
    msg["Message-ID"] = f"<{subject.replace(' ', '.')}@example.net>"
    if receipt:
        msg["Disposition-Notification-To"] = "sender@example.net"
    msg.set_content("Text of " + subject + "\n" + "x" * 70 * (size // 70))
    return msg.as_bytes()


def append_many(server, mailbox, messages):
    with readlib.imap_session(server) as imap:
        imap.create(imap_quote(mailbox))
        for message in messages:
            imap_ok(imap.append(imap_quote(mailbox), None, None, message))


def clear(server, mailbox="INBOX"):
    """Expunges all messages."""
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select(imap_quote(mailbox)))
        if imap_ok(imap.uid("SEARCH", "ALL"))[0]:
            imap_ok(imap.store("1:*", "+FLAGS.SILENT", "(\\Deleted)"))
            imap_ok(imap.expunge())


def state(server, mailbox):
    """UID -> set of flags"""
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select(imap_quote(mailbox), readonly=True))
        return fetch_state(imap)


def fetch_state(imap):
    result = {}
    for item in imap_ok(imap.uid("FETCH", "1:*", "(FLAGS)")):
        match = re.search(rb"FLAGS \(([^)]*)\) UID (\d+)|"
                          rb"UID (\d+) FLAGS \(([^)]*)\)", item or b"")
        if match:
            flags = match[1] if match[2] else match[4]
            result[int(match[2] or match[3])] = \
                set(flags.decode().split()) - {"\\Recent"}
    return result


def subjects(server, mailbox, user=None):
    with readlib.imap_session(server, user) as imap:
        imap_ok(imap.select(imap_quote(mailbox), readonly=True))
        data = imap_ok(imap.uid("FETCH", "1:*",
                                "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] "
                                "BODY.PEEK[TEXT])"))
        found = re.findall(rb"Subject: ([^\r\n]*)", b"".join(
            part[1] for part in data if isinstance(part, tuple)))
        return sorted(s.decode() for s in found)


class Client:
    """A MAPI session with a folder and a table that stay open."""

    columns = (MID, CN, FLAGS, STATUS)

    def __init__(self, server):
        self.raw = RawMapi(server, timeout=60)
        self.logon = self.raw.start()
        self.inbox = self.raw.open_folder(self.logon, self.raw.logon_ids[4])

    def close(self):
        self.raw.close()

    def folder(self, name):
        """The handle of a folder below the IPM subtree."""
        subtree = self.raw.open_folder(self.logon, self.raw.logon_ids[3])
        answer = self.raw.execute(struct.pack(
            "<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1, 0) + struct.pack(
            "<BBBBHII", rawmapi.ROP_SET_COLUMNS, 0, 1, 0, 2, 0x67480014,
            0x3001001F) + struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 1, 0, 1, 200),
            [subtree, NONE])
        rows = answer.rops[10 + 7:]
        check_equal(rows[:6], b"\x15\x01\0\0\0\0", "RopQueryRows")
        pos, count = 9, struct.unpack_from("<H", rows, 7)[0]
        for _ in range(count):
            check_equal(rows[pos], 0, "row flag")
            fid = rows[pos + 1:pos + 9]
            pos += 9
            end = pos
            while rows[end:end + 2] != b"\0\0":
                end += 2
            if rows[pos:end].decode("utf-16le") == name:
                return self.raw.open_folder(self.logon, fid)
            pos = end + 2
        raise readlib.TestFailure(f"no folder {name}")

    def table(self, folder):
        table = self.raw.contents_table(folder)
        answer = self.raw.execute(struct.pack(
            f"<BBBBH{len(self.columns)}I", rawmapi.ROP_SET_COLUMNS, 0, 0, 0,
            len(self.columns), *self.columns), [table])
        check_equal(answer.return_value(), 0, "RopSetColumns")
        return table

    def rows(self, table):
        """[(mid, change number, flags, status)] of all rows, in order"""
        answer = self.raw.execute(struct.pack(
            "<BBBBiB", rawmapi.ROP_SEEK_ROW, 0, 0, 0, 0, 0), [table])
        check_equal(answer.return_value(), 0, "RopSeekRow")
        result = []
        while True:
            answer = self.raw.execute(struct.pack(
                "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 1000), [table])
            check_equal(answer.return_value(), 0, "RopQueryRows")
            count = struct.unpack_from("<H", answer.rops, 7)[0]
            if count == 0:
                return result
            for i in range(count):
                row = struct.unpack_from("<BQQII", answer.rops, 9 + i * 25)
                check_equal(row[0], 0, "row flag")
                result.append(row[1:])

    def mids(self, table):
        return [row[0] for row in self.rows(table)]

    def on_mids(self, rop, folder, head, mids, tail=b"", handles=None):
        """(ReturnValue, PartialCompletion)"""
        answer = self.raw.execute(
            bytes([rop, 0, 0]) + head + struct.pack("<H", len(mids)) +
            struct.pack(f"<{len(mids)}Q", *mids) + tail,
            handles or [folder])
        check_equal(answer.code, 0, "X-ResponseCode")
        return answer.return_value(), answer.rops[-1]

    def set_read(self, mids, flags=0, folder=None, wait=0):
        return self.on_mids(SET_READ_FLAGS, folder or self.inbox,
                            bytes([wait, flags]), mids)

    def delete(self, mids, folder=None, rop=DELETE):
        return self.on_mids(rop, folder or self.inbox, b"\0\1", mids)

    def move(self, mids, folder, dest, copy=0):
        return self.on_mids(MOVE_COPY, None, b"\1", mids, bytes([0, copy]),
                            [folder, dest])

    def open_message(self, folder_id, mid):
        answer = self.raw.execute(struct.pack(
            "<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1, 0x0fff) +
            folder_id + b"\3" + struct.pack("<Q", mid), [self.logon, NONE])
        return answer.return_value(), answer.handles[1]

    def status(self, mid, value=None, mask=None):
        """(ReturnValue, status before)"""
        rop = struct.pack("<BBBQ", GET_STATUS, 0, 0, mid) if mask is None \
            else struct.pack("<BBBQII", SET_STATUS, 0, 0, mid, value, mask)
        answer = self.raw.execute(rop, [self.inbox])
        check_equal(answer.rops[0], 0x20, "RopId")
        value = answer.return_value()
        return value, struct.unpack_from("<I", answer.rops, 6)[0] \
            if value == 0 else None
