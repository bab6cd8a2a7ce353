# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of rules share: rows of RopModifyRules, and a session that
changes and reads rules."""

import contextlib
import http.client
import struct

import rawmapi
from rawmapi import RawMapi
from readlib import check, check_equal

NONE = 0xffffffff
GET_RULES_TABLE, MODIFY_RULES = 0x3F, 0x41
ADD, MODIFY, REMOVE = 1, 2, 4
ID, SEQUENCE, STATE, USER_FLAGS = 0x66740014, 0x66760003, 0x66770003, 0x66780003
CONDITION, ACTIONS = 0x667900FD, 0x668000FE
PROVIDER, NAME, LEVEL = 0x6681001F, 0x6682001F, 0x66830003
PROVIDER_DATA, SUBJECT = 0x66840102, 0x0037001F
# in the order of the rows that are read
SMALL = (ID, SEQUENCE, STATE, USER_FLAGS, LEVEL, PROVIDER, NAME, PROVIDER_DATA)
NAMED_LID = 0x00008530


def utf16(text):
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"


def value(tag, data):
    """A TaggedPropertyValue"""
    kind = tag & 0xffff
    if kind == 0x0003:
        data = struct.pack("<i", data)
    elif kind == 0x0014:
        data = struct.pack("<q", data)
    elif kind == 0x001F:
        data = utf16(data)
    elif kind == 0x001E:
        data = data + b"\0"
    elif kind == 0x0102:
        data = struct.pack("<H", len(data)) + data
    return struct.pack("<I", tag) + data


def row(flags, values):
    """A RuleData of [(tag, value)]"""
    return struct.pack("<BH", flags, len(values)) + \
        b"".join(value(tag, data) for tag, data in values)


def contains(text, tag=SUBJECT):
    """Content restriction: substring, ignoring case"""
    return struct.pack("<BHHI", 3, 1, 1, tag) + value(tag, text)


def either(*conditions):
    return struct.pack("<BH", 1, len(conditions)) + b"".join(conditions)


def actions(*blocks):
    """Blocks of (type, flavor, flags, data)"""
    return struct.pack("<H", len(blocks)) + b"".join(
        struct.pack("<HBII", 9 + len(data), kind, flavor, flags) + data
        for kind, flavor, flags, data in blocks)


DELETE = actions((0x0A, 0, 0, b""))


def rule(name, sequence=10, condition=None, acts=DELETE, **more):
    """The values of a new rule; more: tags by their names here"""
    values = [(SEQUENCE, sequence), (STATE, 1), (NAME, name),
              (PROVIDER, "RuleOrganizer"), (LEVEL, 0), (USER_FLAGS, 0),
              (PROVIDER_DATA, b"\1\0\0\0"),
              (CONDITION, condition or contains(name)), (ACTIONS, acts)]
    given = {globals()[key]: val for key, val in more.items()}
    return [(tag, given.get(tag, val)) for tag, val in values]


class Client:
    def __init__(self, server, user=None):
        self.raw = RawMapi(server, user, timeout=60)
        self.logon = self.raw.start()
        self.inbox = self.raw.open_folder(self.logon, self.raw.logon_ids[4])

    def close(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.raw.request("Disconnect", struct.pack("<I", 0))
        self.raw.close()

    def rop(self, rop, handles):
        answer = self.raw.execute(rop, handles)
        check_equal((answer.code, answer.error), (0, 0), "Execute")
        return answer

    def modify(self, rows, replace=0, folder=None):
        """ReturnValue of RopModifyRules; rows: bytes"""
        answer = self.rop(struct.pack("<BBBBH", MODIFY_RULES, 0, 0, replace,
                                      len(rows)) + b"".join(rows),
                          [folder or self.inbox])
        check_equal(len(answer.rops), 6, "size of the response")
        return answer.return_value()

    def add(self, *rules, folder=None):
        check_equal(self.modify([row(ADD, r) for r in rules], folder=folder),
                    0, "RopModifyRules")

    def table(self, tags, folder=None, flags=0x40):
        """The handle of a table with columns"""
        answer = self.rop(
            struct.pack("<BBBBB", GET_RULES_TABLE, 0, 0, 1, flags) +
            struct.pack(f"<BBBBH{len(tags)}I", rawmapi.ROP_SET_COLUMNS, 0, 1,
                        0, len(tags), *tags), [folder or self.inbox, NONE])
        check_equal(answer.return_value(), 0, "RopGetRulesTable")
        check_equal(answer.return_value(6), 0, "RopSetColumns")
        return answer.handles[1]

    def query(self, table, count=1):
        """RowCount, bytes of the rows"""
        answer = self.rop(struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, count), [table])
        check_equal(answer.return_value(), 0, "RopQueryRows")
        return struct.unpack_from("<H", answer.rops, 7)[0], answer.rops[9:]

    def raw_rows(self, tags, **args):
        """The bytes of each row, without the flag that no value is missing"""
        table = self.table(tags, **args)
        rows = []
        while True:
            count, data = self.query(table)
            if count == 0:
                break
            check_equal(data[0], 0, "row flag")
            rows.append(data[1:])
        self.rop(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0), [table])
        return rows

    def small(self, **args):
        """[{tag: value}] in the table's order, without conditions and actions"""
        table = self.table(SMALL, **args)
        found = []
        while True:
            count, data = self.query(table, 1000)
            pos = 0
            for _ in range(count):
                check_equal(data[pos], 0, "row flag")
                pos += 1
                values = {}
                for tag in SMALL:
                    values[tag], pos = read_value(tag, data, pos)
                found.append(values)
            check_equal(pos, len(data), "size of the rows")
            if count == 0:
                break
        self.rop(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0), [table])
        return found

    def rules(self, **args):
        """[{tag: value}] in the table's order, if nobody changes them"""
        found = self.small(**args)
        for tag in (CONDITION, ACTIONS):
            rows = self.raw_rows((tag,), **args)
            check_equal(len(rows), len(found), "rows")
            for values, data in zip(found, rows):
                values[tag] = data
        return found

    def names(self, **args):
        return [values[NAME] for values in self.small(**args)]

    def has_rules(self, fid):
        """By RopOpenFolder, PidTagHasRules, PidTagFolderFlags"""
        answer = self.rop(
            struct.pack("<BBBB", rawmapi.ROP_OPEN_FOLDER, 0, 0, 1) + fid +
            b"\0" + struct.pack("<BBBHHHII", rawmapi.ROP_GET_PROPS, 0, 1, 0,
                                1, 2, 0x663A000B, 0x66A80003),
            [self.logon, NONE])
        check_equal(answer.return_value(), 0, "RopOpenFolder")
        check_equal(answer.return_value(8), 0, "RopGetPropertiesSpecific")
        flag, has, flags = struct.unpack_from("<BBI", answer.rops, 14)
        check_equal(flag, 0, "row flag")
        check(has == answer.rops[6] == (flags >> 3 & 1),
              f"has rules: {answer.rops[6]}, {has}, 0x{flags:x}")
        return has

    def property_id(self, lid=NAMED_LID):
        """The id of a named property"""
        guid = bytes.fromhex("0820060000000000C000000000000046")
        answer = self.rop(struct.pack("<BBBBHB", 0x56, 0, 0, 2, 1, 0) + guid +
                          struct.pack("<I", lid), [self.logon])
        check_equal(answer.return_value(), 0, "RopGetPropertyIdsFromNames")
        return struct.unpack_from("<H", answer.rops, 8)[0]


def read_value(tag, data, pos):
    kind = tag & 0xffff
    if kind == 0x0003:
        return struct.unpack_from("<i", data, pos)[0], pos + 4
    if kind == 0x0014:
        return struct.unpack_from("<q", data, pos)[0], pos + 8
    if kind == 0x0102:
        end = pos + 2 + struct.unpack_from("<H", data, pos)[0]
        return data[pos + 2:end], end
    end = pos
    if kind == 0x001E:
        end = data.index(b"\0", pos)
        return data[pos:end], end + 1
    while data[end:end + 2] != b"\0\0":
        end += 2
    return data[pos:end].decode("utf-16-le", "surrogatepass"), end + 2
