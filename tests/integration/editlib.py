# SPDX-License-Identifier: LGPL-2.1-or-later
"""A MAPI session that makes and changes messages and folders, and looks at all that
there is."""

import struct
import uuid

import rawmapi
from rawmapi import RawMapi
from readlib import TestFailure, check_equal

ROP_CREATE_MESSAGE, ROP_SET_PROPS, ROP_SAVE_MESSAGE = 0x06, 0x0A, 0x0C
ROP_SET_READ_FLAG, ROP_CREATE_FOLDER, ROP_DELETE_FOLDER = 0x11, 0x1C, 0x1D
ROP_DELETE_MESSAGES, ROP_SET_CRITERIA, ROP_MOVE_COPY = 0x1E, 0x30, 0x33
ROP_MOVE_FOLDER, ROP_COPY_FOLDER, ROP_IDS_FROM_NAMES = 0x35, 0x36, 0x56
ROP_EMPTY_FOLDER, ROP_RESERVE_IDS, ROP_PURGE_FOLDER = 0x58, 0x7F, 0x92
NONE = 0xffffffff
IPM_SUBTREE, INBOX, DELETED_ITEMS, FINDER = 3, 4, 7, 10

FID, MID, NAME, DEPTH = 0x67480014, 0x674A0014, 0x3001001F, 0x30050003
SUBJECT, CLASS, BODY = 0x0037001F, 0x001A001F, 0x1000001F
FLAGS, DICTIONARY = 0x0E070003, 0x7C070102
# a set that nobody else has names in
PROPERTY_SET = uuid.UUID("6d2b2b0c-9f5a-4d0e-8a6e-2c1f1b3c4d5e").bytes_le
ASSOCIATED, DEEP, SOFT_DELETES = 2, 4, 0x20
OPEN_SOFT_DELETED = 4


class RopError(TestFailure):
    def __init__(self, what, code):
        super().__init__(f"{what}: 0x{code:08x}")
        self.code = code


def utf16(text):
    return text.encode("utf-16-le") + b"\0\0"


def encode_value(tag, value):
    kind = tag & 0xffff
    if kind == 0x1F:
        return utf16(value)
    if kind == 0x102:
        return struct.pack("<H", len(value)) + value
    return struct.pack({3: "<i", 0xB: "<B", 0x14: "<Q"}[kind], value)


def parse_value(kind, data, pos):
    """(value, position after it)"""
    if kind == 0x1F:
        end = pos
        while data[end:end + 2] != b"\0\0":
            end += 2
        return data[pos:end].decode("utf-16-le"), end + 2
    if kind == 0x102:
        size = struct.unpack_from("<H", data, pos)[0]
        return bytes(data[pos + 2:pos + 2 + size]), pos + 2 + size
    form = {3: "<i", 0xB: "<B", 0x14: "<Q", 0xA: "<I", 0x40: "<Q"}[kind]
    return struct.unpack_from(form, data, pos)[0], pos + struct.calcsize(form)


def parse_row(tags, data, pos):
    """({tag: value, None if it has none}, position after it)"""
    values = {}
    flagged = data[pos]
    pos += 1
    for tag in tags:
        kind = tag & 0xffff
        if flagged:
            flag = data[pos]
            pos += 1
            if flag == 1:
                values[tag] = None
                continue
            if flag == 0xA:
                kind = 0xA
        value, pos = parse_value(kind, data, pos)
        values[tag] = None if kind == 0xA else value
    return values, pos


class Editor:
    def __init__(self, server, user=None, timeout=60):
        self.raw = RawMapi(server, user, timeout=timeout)
        self.logon = self.raw.start()
        self.handles = {}

    def close(self):
        try:
            self.raw.request("Disconnect", struct.pack("<I", 0))
        finally:
            self.raw.close()

    def rop(self, what, rop, handles):
        answer = self.raw.execute(rop, handles)
        if answer.code != 0 or answer.error != 0:
            raise TestFailure(f"{what}: HTTP {answer.status}, "
                              f"X-ResponseCode {answer.code}, {answer.error}")
        if answer.return_value() != 0:
            raise RopError(what, answer.return_value())
        return answer

    def special(self, index):
        return self.raw.logon_ids[index]

    def open(self, fid, mode=0):
        """A folder's handle; it stays open."""
        if fid not in self.handles:
            self.handles[fid] = self.rop("RopOpenFolder", struct.pack(
                "<BBBB", rawmapi.ROP_OPEN_FOLDER, 0, 0, 1) + fid +
                bytes([mode]), [self.logon, NONE]).handles[1]
        return self.handles[fid]

    # --- tables -------------------------------------------------------------
    def rows(self, rop, folder, flags, tags):
        answer = self.rop("opening a table", struct.pack(
            "<BBBBB", rop, 0, 0, 1, flags), [folder, NONE])
        table = answer.handles[1]
        self.rop("RopSetColumns", struct.pack(
            f"<BBBBH{len(tags)}I", rawmapi.ROP_SET_COLUMNS, 0, 0, 0,
            len(tags), *tags), [table])
        result = []
        while True:
            answer = self.rop("RopQueryRows", struct.pack(
                "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 100), [table])
            count = struct.unpack_from("<H", answer.rops, 7)[0]
            pos = 9
            for _ in range(count):
                row, pos = parse_row(tags, answer.rops, pos)
                result.append(row)
            if count == 0:
                self.release(table)
                return result

    def release(self, handle):
        self.raw.execute(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0),
                         [handle])

    def folders(self, parent=IPM_SUBTREE, flags=0):
        """{display name: folder id} of all folders below a folder, or below a special
        one; a subfolder is called as IMAP clients call it."""
        if isinstance(parent, int):
            parent = self.special(parent)
        rows = self.rows(rawmapi.ROP_HIERARCHY_TABLE, self.open(parent),
                         DEEP | flags, [FID, NAME, DEPTH])
        result, names = {}, []
        for row in rows:
            names[row[DEPTH] - 1:] = [row[NAME]]
            result["/".join(names)] = struct.pack("<Q", row[FID])
        return result

    def children(self, parent, flags=0):
        """{display name: folder id} of the folders in a folder"""
        rows = self.rows(rawmapi.ROP_HIERARCHY_TABLE, self.open(parent), flags,
                         [FID, NAME])
        return {row[NAME]: struct.pack("<Q", row[FID]) for row in rows}

    def messages(self, fid, associated=False, deleted=False):
        """message ids; of soft-deleted ones"""
        return [row[MID] for row in self.rows(
            rawmapi.ROP_CONTENTS_TABLE, self.open(fid),
            (ASSOCIATED if associated else 0) |
            (SOFT_DELETES if deleted else 0), [MID])]

    # --- messages -----------------------------------------------------------
    def named(self, name, create=True):
        """The id of a named property, 0 if it has none."""
        data = utf16(name)
        answer = self.rop("RopGetPropertyIdsFromNames", struct.pack(
            "<BBBBHB", ROP_IDS_FROM_NAMES, 0, 0, 2 if create else 0, 1, 1) +
            PROPERTY_SET + struct.pack("<B", len(data)) + data, [self.logon])
        return struct.unpack_from("<H", answer.rops, 8)[0]

    def open_message(self, fid, mid, mode=3):
        return self.rop("RopOpenMessage", struct.pack(
            "<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1, 0x0fff) + fid +
            struct.pack("<BQ", mode, mid), [self.logon, NONE]).handles[1]

    def get(self, handle, tags):
        answer = self.rop("RopGetPropertiesSpecific", struct.pack(
            f"<BBBHHH{len(tags)}I", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1,
            len(tags), *tags), [handle])
        return parse_row(tags, answer.rops, 6)[0]

    def set(self, handle, props):
        values = b"".join(struct.pack("<I", tag) + encode_value(tag, value)
                          for tag, value in props.items())
        answer = self.rop("RopSetProperties", struct.pack(
            "<BBBHH", ROP_SET_PROPS, 0, 0, len(values) + 2, len(props)) +
            values, [handle])
        check_equal(struct.unpack_from("<H", answer.rops, 6)[0], 0,
                    "properties that weren't set")

    def save(self, handle, flags=0):
        """The message's id"""
        answer = self.rop("RopSaveChangesMessage", struct.pack(
            "<BBBBB", ROP_SAVE_MESSAGE, 0, 0, 0, flags), [handle])
        return struct.unpack_from("<Q", answer.rops, 7)[0]

    def create(self, fid, props, associated=False):
        handle = self.rop("RopCreateMessage", struct.pack(
            "<BBBBH", ROP_CREATE_MESSAGE, 0, 0, 1, 0x0fff) + fid +
            struct.pack("<B", associated), [self.logon, NONE]).handles[1]
        self.set(handle, props)
        mid = self.save(handle)
        self.release(handle)
        return mid

    def change(self, fid, mid, props):
        handle = self.open_message(fid, mid)
        self.set(handle, props)
        result = self.save(handle)
        self.release(handle)
        return result

    def read(self, fid, mid, tags, deleted=False):
        handle = self.open_message(fid, mid, OPEN_SOFT_DELETED if deleted
                                   else 3)
        values = self.get(handle, tags)
        self.release(handle)
        return values

    def set_read(self, fid, mid, flags=0):
        """RopSetMessageReadFlag; flags 4: unread"""
        handle = self.open_message(fid, mid)
        self.rop("RopSetMessageReadFlag", struct.pack(
            "<BBBBB", ROP_SET_READ_FLAG, 0, 1, 0, flags),
            [handle, self.open(fid)])

    def on_mids(self, what, rop, handles, mids, head=b"", tail=b""):
        """PartialCompletion is a failure, too."""
        answer = self.rop(what, bytes([rop, 0, 0]) + head + struct.pack(
            f"<H{len(mids)}Q", len(mids), *mids) + tail, handles)
        check_equal(answer.rops[-1], 0, what + ": PartialCompletion")

    def delete(self, fid, mids):
        self.on_mids("RopDeleteMessages", ROP_DELETE_MESSAGES,
                     [self.open(fid)], mids, head=b"\0\1")

    def move(self, fid, dest, mids, copy=False):
        self.on_mids("RopMoveCopyMessages", ROP_MOVE_COPY,
                     [self.open(fid), self.open(dest)], mids, head=b"\1",
                     tail=bytes([0, copy]))

    # --- folders ------------------------------------------------------------
    def create_folder(self, parent, name, kind=1):
        answer = self.rop("RopCreateFolder", struct.pack(
            "<BBBBBBBB", ROP_CREATE_FOLDER, 0, 0, 1, kind, 1, 0, 0) +
            utf16(name) + utf16(""), [self.open(parent), NONE])
        fid = answer.rops[6:14]
        self.handles[fid] = answer.handles[1]
        return fid

    def on_folder(self, what, rop, handles, tail=b"", between=b""):
        answer = self.rop(what, bytes([rop, 0, 0]) + between + tail, handles)
        check_equal(answer.rops[6], 0, what + ": PartialCompletion")

    def delete_folder(self, parent, fid, hard=False):
        self.on_folder("RopDeleteFolder", ROP_DELETE_FOLDER,
                       [self.open(parent)], bytes([0x15 if hard else 5]) + fid)

    def move_folder(self, parent, dest, fid, name):
        self.on_folder("RopMoveFolder", ROP_MOVE_FOLDER,
                       [self.open(parent), self.open(dest)],
                       b"\1\1\1" + fid + utf16(name))

    def copy_folder(self, parent, dest, fid, name):
        self.on_folder("RopCopyFolder", ROP_COPY_FOLDER,
                       [self.open(parent), self.open(dest)],
                       b"\1\0\1\1" + fid + utf16(name))

    def empty_folder(self, fid):
        self.on_folder("RopEmptyFolder", ROP_EMPTY_FOLDER, [self.open(fid)],
                       b"\0\1")

    def purge_folder(self, fid):
        self.on_folder("RopHardDeleteMessagesAndSubfolders", ROP_PURGE_FOLDER,
                       [self.open(fid)], b"\0\1")

    def set_criteria(self, fid, subject, scope):
        """FL_SUBSTRING | FL_IGNORECASE, RESTART_SEARCH"""
        res = struct.pack("<BHHII", 3, 1, 1, SUBJECT, SUBJECT) + utf16(subject)
        self.rop("RopSetSearchCriteria", struct.pack(
            "<BBBH", ROP_SET_CRITERIA, 0, 0, len(res)) + res + struct.pack(
            "<H", len(scope)) + b"".join(scope) + struct.pack("<I", 2),
            [self.open(fid)])

    def reserve_ids(self, count):
        answer = self.rop("RopGetLocalReplicaIds", struct.pack(
            "<BBBI", ROP_RESERVE_IDS, 0, 0, count), [self.logon])
        return bytes(answer.rops[22:28])
