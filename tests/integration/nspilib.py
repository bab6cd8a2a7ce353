# SPDX-License-Identifier: LGPL-2.1-or-later
"""The address book's protocol by hand, and what mapi-directory says of itself."""

import socket
import struct

from rawmapi import RawMapi
from readlib import check_equal

SUCCESS, CONTEXT_NOT_FOUND, INVALID_BODY = 0, 10, 12
DISPLAY_NAME, SMTP_ADDRESS, EMAIL_ADDRESS = 0x3001001F, 0x39FE001F, 0x3003001F
MEMBER = 0x8009000D
BIND = struct.pack("<IBII", 0, 0, 0, 0)[:9] + struct.pack("<I", 0)


def stat(container=0, current=0, delta=0, code_page=1252):
    return struct.pack("<IIIiIIIII", 0, container, current, delta, 0, 0,
                       code_page, 0x409, 0x409)


def columns(*tags):
    return b"\1" + struct.pack(f"<I{len(tags)}I", len(tags), *tags)


def utf16z(text):
    return text.encode("utf-16-le") + b"\0\0"


class Book(RawMapi):
    path = "/mapi/nspi/"

    def bind(self):
        answer = self.request("Bind", BIND)
        check_equal((answer.status, answer.code), (200, 0), "Bind")
        check_equal(struct.unpack_from("<II", answer.body), (0, 0),
                    "StatusCode and ErrorCode of Bind")
        return answer.body[8:24]

    def call(self, kind, body):
        """ErrorCode and what follows it"""
        answer = self.request(kind, body + struct.pack("<I", 0))
        check_equal((answer.status, answer.code), (200, 0), kind)
        status, error = struct.unpack_from("<II", answer.body)
        check_equal(status, 0, f"StatusCode of {kind}")
        return error, answer.body[8:]

    def resolve(self, *names):
        body = struct.pack("<I", 0) + b"\1" + stat() + \
            columns(DISPLAY_NAME, SMTP_ADDRESS) + b"\1" + \
            struct.pack("<I", len(names)) + b"".join(map(utf16z, names))
        error, data = self.call("ResolveNames", body)
        check_equal(error, 0, "ErrorCode of ResolveNames")
        code_page, has, count = struct.unpack_from("<IBI", data)
        check_equal((has, count), (0xFF, len(names)), "MinimalIds")
        mids = struct.unpack_from(f"<{count}I", data, 9)
        rows, _ = read_rows(data[9 + 4 * count:])
        check_equal(len(rows), mids.count(2), "rows for what is resolved")
        return list(mids), rows

    def rows(self, count, container=0, current=0, delta=0):
        body = struct.pack("<I", 0) + b"\1" + \
            stat(container, current, delta) + struct.pack("<I", 0) + \
            struct.pack("<I", count) + columns(DISPLAY_NAME, SMTP_ADDRESS)
        error, data = self.call("QueryRows", body)
        if error != 0:
            return error, None, None
        check_equal(data[0], 0xFF, "HasState")
        state = struct.unpack_from("<IIIiIIIII", data, 1)
        rows, _ = read_rows(data[37:])
        return 0, state, rows

    def legacy_dn(self, name):
        """PidTagEmailAddress of the one that name is resolved to"""
        body = struct.pack("<I", 0) + b"\1" + stat() + \
            columns(EMAIL_ADDRESS) + b"\1" + struct.pack("<I", 1) + \
            utf16z(name)
        error, data = self.call("ResolveNames", body)
        check_equal((error, data[9]), (0, 2), f"ResolveNames of {name}")
        return read_rows(data[13:])[0][0][0]

    def mid(self, name):
        """MId of the one that name is resolved to"""
        error, data = self.call(
            "DNToMId", struct.pack("<IBI", 0, 0xFF, 1) +
            self.legacy_dn(name).encode() + b"\0")
        check_equal(error, 0, "ErrorCode of DNToMId")
        return struct.unpack_from("<I", data, 5)[0]

    def entry_id(self, name):
        """Permanent, [MS-OXNSPI] 2.2.9.3"""
        return bytes(4) + bytes.fromhex("dca740c8c042101ab4b908002b2fe182") + \
            struct.pack("<II", 1, 0) + self.legacy_dn(name).encode() + b"\0"

    def modify_links(self, name, tag, entry_ids, delete=False):
        """ErrorCode of ModLinkAtt, [MS-OXCMAPIHTTP] 2.2.5.10"""
        body = struct.pack("<IIIBI", int(delete), tag, self.mid(name), 0xFF,
                           len(entry_ids))
        for entry_id in entry_ids:
            body += struct.pack("<I", len(entry_id)) + entry_id
        return self.call("ModLinkAtt", body)[0]

    def modify_binaries(self, name, tag, values):
        """ErrorCode of ModProps that replaces them, 2.2.5.11"""
        body = struct.pack("<I", 0) + b"\1" + stat(0, self.mid(name)) + \
            struct.pack("<BII", 0xFF, 1, tag)
        body += struct.pack("<BIHHBI", 0xFF, 1, tag & 0xffff, tag >> 16, 0xFF,
                            len(values)) if values else b"\0"
        for value in values:
            body += struct.pack("<BI", 0xFF, len(value)) + value
        return self.call("ModProps", body)[0]

    def members(self, name):
        """Names of the members of the one list that name is resolved to"""
        return self.linked(name, MEMBER)

    def linked(self, name, tag):
        """Names of those that a property of the one that name is resolved to
        refers to, as they're in the lists of dialogs"""
        mid = self.mid(name)
        body = struct.pack("<I", 0) + b"\1" + stat(tag, mid) + \
            struct.pack("<BIBBI", 0, 0, 0, 0, 100000) + columns(DISPLAY_NAME)
        error, data = self.call("GetMatches", body)
        check_equal(error, 0, "ErrorCode of GetMatches")
        # HasState, STAT, HasMinimalIds, MinimalIds
        check_equal((data[0], data[37]), (0xFF, 0xFF), "GetMatches")
        count = struct.unpack_from("<I", data, 38)[0]
        rows, _ = read_rows(data[42 + 4 * count:])
        return [row[0] for row in rows]


def read_rows(data):
    """HasColumnsAndRows, columns, rows of strings; what is left"""
    if data[0] == 0:
        return [], data[1:]
    count = struct.unpack_from("<I", data, 1)[0]
    pos = 5 + 4 * count
    rows_count = struct.unpack_from("<I", data, pos)[0]
    pos += 4
    rows = []
    for _ in range(rows_count):
        flag = data[pos]
        pos += 1
        row = []
        for _ in range(count):
            value_flag = 0
            if flag == 1:
                value_flag = data[pos]
                pos += 1
            if value_flag == 0xA:
                pos += 4
                row.append(None)
                continue
            # AddressBookPropertyValue: a string may be absent
            has = data[pos]
            check_equal(has, 0xFF, "HasValue: no null strings")
            pos += 1
            end = pos
            while data[end:end + 2] != b"\0\0":
                end += 2
            row.append(data[pos:end].decode("utf-16-le"))
            pos = end + 2
        rows.append(row)
    return rows, data[pos:]


def ask_directory(server, command):
    with socket.socket(socket.AF_UNIX) as sock:
        # it's busy while it writes a large directory
        sock.settimeout(60)
        sock.connect(server.env["DIRECTORY_SOCKET"])
        sock.sendall(command + b"\n")
        return sock.recv(1000).decode()


def status(server):
    """A line of name=value fields"""
    return ask_directory(server, b"STATUS")


def refresh(server):
    """The directory is read now."""
    check_equal(ask_directory(server, b"REFRESH"), "+\n", "REFRESH")
