# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of permissions share: the permissions table, IMAP's ACLs, the
logon to another user's mailbox. All numbers are those of [MS-OXCPERM]."""

import struct

import rawmapi
import readlib
import writelib
from readlib import check_equal, imap_ok, imap_quote
from writelib import NONE

GET_PERMISSIONS, MODIFY_PERMISSIONS = 0x3E, 0x40
QUERY_POSITION = 0x17
ENTRY_ID, MEMBER_ID = 0x0FFF0102, 0x66710014
MEMBER_NAME, MEMBER_RIGHTS = 0x6672001F, 0x66730003
ADD, MODIFY, REMOVE = 1, 2, 4
DEFAULT, ANONYMOUS = 0, -1
REPLACE_ROWS, FREE_BUSY = 1, 2

READ, CREATE, EDIT_OWN, DELETE_OWN = 0x1, 0x2, 0x8, 0x10
EDIT, DELETE, SUBFOLDER, OWNER = 0x20, 0x40, 0x80, 0x100
CONTACT, VISIBLE, SIMPLE, DETAILED = 0x200, 0x400, 0x800, 0x1000
# the roles of Outlook's dialog
REVIEWER = READ | VISIBLE
AUTHOR = REVIEWER | CREATE | EDIT_OWN | DELETE_OWN
EDITOR = AUTHOR | EDIT | DELETE
PUBLISHING_EDITOR = EDITOR | SUBFOLDER
FULL_OWNER = PUBLISHING_EDITOR | OWNER | CONTACT
CONTRIBUTOR = CREATE | VISIBLE

EC_ACCESS_DENIED, EC_NOT_FOUND = 0x80070005, 0x8004010F
EC_LOGIN_PERM, EC_UNKNOWN_USER = 0x3F2, 0x3EB
EC_NOT_SUPPORTED, EC_INVALID_PARAM = 0x80040102, 0x80070057

AB_UID = bytes.fromhex("DCA740C8C042101AB4B908002B2FE182")


def user_dn(user):
    return ("/o=Devserver/ou=Exchange Administrative Group "
            f"(FYDIBOHF23SPDLT)/cn=Recipients/cn={user}")


def entry_id(user, kind=0):
    """[MS-OXCDATA] 2.2.5.2"""
    return bytes(4) + AB_UID + struct.pack("<II", 1, kind) + \
        user_dn(user).encode() + b"\0"


def get_acl(server, mailbox, user=None):
    """{identifier: letters} as an IMAP client sees them"""
    with readlib.imap_session(server, user) as imap:
        data = imap_ok(imap.getacl(imap_quote(mailbox)))[0]
    # * ACL mailbox id rights id rights ...
    words = [w.decode() for w in data.split()]
    start = 1
    if words[0].startswith('"') and not words[0].endswith('"'):
        start = next(i for i, w in enumerate(words) if w.endswith('"')) + 1
    words = [w.strip('"') for w in words[start:]]
    # virtual rights of RFC 2086
    return {words[i]: "".join(sorted(set(words[i + 1]) - set("cd")))
            for i in range(0, len(words), 2)}


def set_acl(server, mailbox, who, letters, user=None):
    with readlib.imap_session(server, user) as imap:
        imap_ok(imap.setacl(imap_quote(mailbox), who, letters or '""')) \
            if letters is not None else \
            imap_ok(imap.deleteacl(imap_quote(mailbox), who))


def logon_error(server, user, owner, flags=0x0100000C):
    """What RopLogon to owner's mailbox returns"""
    raw = rawmapi.RawMapi(server, user, timeout=60)
    raw.connect()
    dn = user_dn(owner).encode() + b"\0"
    answer = raw.execute(struct.pack("<BBBBIIH", rawmapi.ROP_LOGON, 0, 0, 1,
                                     flags, 0, len(dn)) + dn, [NONE])
    raw.close()
    return answer.return_value()


class Client(writelib.Client):
    """A session; a logon to owner's mailbox if it's given."""

    def __init__(self, server, user=None, owner=None):
        self.raw = rawmapi.RawMapi(server, user, timeout=60)
        self.raw.connect()
        self.own_dn = self.raw.dn
        if owner is not None:
            self.raw.dn = lambda: user_dn(owner)
        self.logon = self.raw.logon()

    def fids(self, parent=None, deep=False):
        """{name: FID} below a folder, by default the IPM subtree"""
        subtree = self.raw.open_folder(
            self.logon, parent or self.raw.logon_ids[3])
        answer = self.raw.execute(struct.pack(
            "<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1,
            4 if deep else 0) + struct.pack(
            "<BBBBHII", rawmapi.ROP_SET_COLUMNS, 0, 1, 0, 2, 0x67480014,
            0x3001001F) + struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 1, 0, 1, 200),
            [subtree, NONE])
        rows = answer.rops[10 + 7:]
        check_equal(rows[:6], b"\x15\x01\0\0\0\0", "RopQueryRows")
        pos, count = 9, struct.unpack_from("<H", rows, 7)[0]
        found = {}
        for _ in range(count):
            fid = rows[pos + 1:pos + 9]
            pos += 9
            name, pos = utf16z(rows, pos)
            found[name] = fid
        return found

    def open_fid(self, fid):
        """(ReturnValue, handle)"""
        answer = self.raw.execute(struct.pack(
            "<BBBB", rawmapi.ROP_OPEN_FOLDER, 0, 0, 1) + fid + b"\0",
            [self.logon, NONE])
        return answer.return_value(), answer.handles[1]

    def long_props(self, handle, *tags):
        """PtypInteger32 properties; None for one that isn't there"""
        answer = self.raw.execute(struct.pack(
            f"<BBBHHH{len(tags)}I", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1,
            len(tags), *tags), [handle])
        check_equal(answer.return_value(), 0, "RopGetPropertiesSpecific")
        if answer.rops[6] == 0:
            return struct.unpack_from(f"<{len(tags)}i", answer.rops, 7)
        values, pos = [], 7
        for _ in tags:
            flag = answer.rops[pos]
            value = struct.unpack_from("<i", answer.rops, pos + 1)[0]
            values.append(value if flag == 0 else None)
            pos += 5
        return tuple(values)

    def permissions_table(self, folder, flags=FREE_BUSY):
        answer = self.raw.execute(struct.pack(
            "<BBBBB", GET_PERMISSIONS, 0, 0, 1, flags), [folder, NONE])
        return answer.return_value(), answer.handles[1]

    def permissions_error(self, folder):
        """What RopQueryRows of the table returns"""
        error, table = self.permissions_table(folder)
        check_equal(error, 0, "RopGetPermissionsTable")
        answer = self.raw.execute(struct.pack(
            "<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 1, MEMBER_ID), [table])
        check_equal(answer.return_value(), 0, "RopSetColumns")
        return self.raw.execute(struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 200),
            [table]).return_value()

    def permissions(self, folder, flags=FREE_BUSY):
        """{name: (member id, rights, entry id)}"""
        error, table = self.permissions_table(folder, flags)
        check_equal(error, 0, "RopGetPermissionsTable")
        answer = self.raw.execute(struct.pack(
            "<BBBBHIIII", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 4, MEMBER_ID,
            MEMBER_NAME, MEMBER_RIGHTS, ENTRY_ID) + struct.pack(
            "<BBB", QUERY_POSITION, 0, 0) + struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 200), [table])
        check_equal(answer.rops[2:7], bytes(5), "RopSetColumns")
        count = struct.unpack_from("<II", answer.rops, 7 + 6)[1]
        rows = answer.rops[7 + 14:]
        check_equal(rows[:6], b"\x15\0\0\0\0\0", "RopQueryRows")
        check_equal(struct.unpack_from("<H", rows, 7)[0], count, "rows")
        pos, found = 9, {}
        for _ in range(count):
            check_equal(rows[pos], 0, "row flag")
            member = struct.unpack_from("<q", rows, pos + 1)[0]
            name, pos = utf16z(rows, pos + 9)
            rights, size = struct.unpack_from("<iH", rows, pos)
            found[name] = (member, rights, rows[pos + 6:pos + 6 + size])
            pos += 6 + size
        return found

    def rights(self, folder, flags=FREE_BUSY):
        return {name: row[1] for name, row in
                self.permissions(folder, flags).items()}

    def modify(self, folder, *rows, flags=FREE_BUSY):
        """rows: (ADD, user or entry id, rights), (MODIFY, member id, rights),
        (REMOVE, member id)"""
        data = b""
        for row in rows:
            if row[0] == ADD and row[1] not in (DEFAULT, ANONYMOUS):
                eid = row[1] if isinstance(row[1], bytes) else entry_id(row[1])
                props = struct.pack("<IH", ENTRY_ID, len(eid)) + eid
            else:
                props = struct.pack("<Iq", MEMBER_ID, row[1])
            if row[0] != REMOVE:
                props += struct.pack("<II", MEMBER_RIGHTS, row[2])
            data += struct.pack("<BH", row[0], 1 if row[0] == REMOVE else 2) \
                + props
        answer = self.raw.execute(struct.pack(
            "<BBBBH", MODIFY_PERMISSIONS, 0, 0, flags, len(rows)) + data,
            [folder])
        return answer.return_value()


def utf16z(data, pos):
    """(string, position behind it)"""
    end = pos
    while data[end:end + 2] != b"\0\0":
        end += 2
    return data[pos:end].decode("utf-16le"), end + 2
