# SPDX-License-Identifier: LGPL-2.1-or-later
"""A MAPI client by hand that creates, changes, saves and reads messages: what the
tests of saving share. Property values are Python's: int, float, bool, str,
bytes, and lists of these; which it is on the wire is in the tag's type."""

import contextlib
import http.client
import struct

import rawmapi
from rawmapi import RawMapi
from readlib import TestFailure

NONE = 0xffffffff
OPEN_MESSAGE, CREATE_MESSAGE, SET_PROPS, DELETE_PROPS = 0x03, 0x06, 0x0A, 0x0B
SAVE_MESSAGE, REMOVE_RECIPIENTS, MODIFY_RECIPIENTS = 0x0C, 0x0D, 0x0E
READ_RECIPIENTS, OPEN_ATTACHMENT, CREATE_ATTACHMENT = 0x0F, 0x22, 0x23
DELETE_ATTACHMENT, SAVE_ATTACHMENT, WRITE_STREAM = 0x24, 0x25, 0x2D
COPY_TO, OPEN_EMBEDDED, VALID_ATTACHMENTS = 0x39, 0x46, 0x52
GET_IDS, COMMIT_STREAM, COPY_PROPS = 0x56, 0x5D, 0x67

SAVE_READ_ONLY, SAVE_READ_WRITE, SAVE_FORCE = 1, 2, 4
READ_ONLY, READ_WRITE, BEST_ACCESS, CREATE = 0, 1, 3, 2

EC_NO_ACCESS, EC_OBJECT_MODIFIED = 0x80070005, 0x80040109
EC_OBJECT_DELETED, EC_COMPUTED = 0x8004010A, 0x8004011A
EC_UNEXPECTED_TYPE, EC_QUOTA_EXCEEDED = 0x80040304, 0x4D9
EC_NOT_ENOUGH_MEMORY, EC_NOT_ENOUGH_DISK = 0x8007000E, 0x8004010D
EC_NOT_FOUND, EC_DST_NULL_OBJECT = 0x8004010F, 0x503

# properties
CLASS, SUBJECT, BODY, HTML = 0x001A001F, 0x0037001F, 0x1000001F, 0x10130102
RTF, IMPORTANCE, SENSITIVITY = 0x10090102, 0x00170003, 0x00360003
MESSAGE_FLAGS, MID, CHANGE_NUMBER = 0x0E070003, 0x674A0014, 0x67A40014
CHANGE_KEY, PCL, SOURCE_KEY = 0x65E20102, 0x65E30102, 0x65E00102
UID, SEARCH_KEY, ENTRY_ID = 0x0E230003, 0x300B0102, 0x0FFF0102
MODIFIED, CREATED = 0x30080040, 0x30070040
FLAG_STATUS, ICON_INDEX, LAST_VERB = 0x10900003, 0x10800003, 0x10810003
SPAM_LEVEL = 0x40760003
ATTACH_METHOD, ATTACH_DATA, ATTACH_NAME = 0x37050003, 0x37010102, 0x3707001F
ATTACH_NUM, ATTACH_MIME, ATTACH_OBJECT = 0x0E210003, 0x370E001F, 0x3701000D
RECIPIENTS, ATTACHMENTS = 0x0E12000D, 0x0E13000D
DISPLAY_NAME, ADDRESS_TYPE, EMAIL = 0x3001001F, 0x3002001F, 0x3003001F
SMTP_ADDRESS, RECIPIENT_TYPE = 0x39FE001F, 0x0C150003

PS_PUBLIC_STRINGS = bytes.fromhex("2903020000000000c000000000000046")
PSETID_COMMON = bytes.fromhex("0820060000000000c000000000000046")

FIXED = {0x02: "<h", 0x03: "<i", 0x04: "<f", 0x05: "<d", 0x06: "<q",
         0x07: "<d", 0x0A: "<I", 0x0B: "<?", 0x14: "<q", 0x40: "<Q"}


class Error(Exception):
    """A ROP's ReturnValue"""

    def __init__(self, rop, code):
        super().__init__(f"ROP 0x{rop:02x}: error 0x{code:08x}")
        self.code = code


def same_value(a, b):
    """Equal, and NaN is what it is."""
    return a == b or (isinstance(a, float) and isinstance(b, float) and
                      a != a and b != b)


# --- values ------------------------------------------------------------------

def pack_value(kind, value):
    if kind & 0x1000:
        kind &= 0xfff
        return struct.pack("<I", len(value)) + \
            b"".join(pack_value(kind, item) for item in value)
    if kind in FIXED:
        return struct.pack(FIXED[kind], value)
    if kind == 0x48:
        return value
    if kind == 0x1E:
        return value + b"\0"
    if kind == 0x1F:
        return value.encode("utf-16le") + b"\0\0"
    if kind in (0x102, 0xFB):
        return struct.pack("<H", len(value)) + value
    raise ValueError(f"type {kind:04x}")


class Reader:
    """What is left of a response"""

    def __init__(self, data, pos=0):
        self.data, self.pos = data, pos

    def get(self, fmt):
        values = struct.unpack_from("<" + fmt, self.data, self.pos)
        self.pos += struct.calcsize("<" + fmt)
        return values[0] if len(values) == 1 else values

    def bytes(self, size):
        if self.pos + size > len(self.data):
            raise ValueError("response is too short")
        self.pos += size
        return self.data[self.pos - size:self.pos]

    def utf16(self):
        end = self.pos
        while self.data[end:end + 2] != b"\0\0":
            if end >= len(self.data):
                raise ValueError("string without end")
            end += 2
        text = self.data[self.pos:end].decode("utf-16le")
        self.pos = end + 2
        return text

    def ascii(self):
        end = self.data.index(b"\0", self.pos)
        text = self.data[self.pos:end]
        self.pos = end + 1
        return text

    def value(self, kind):
        if kind & 0x1000:
            return [self.value(kind & 0xfff) for _ in range(self.get("I"))]
        if kind in FIXED:
            return self.get(FIXED[kind][1:])
        if kind == 0x48:
            return self.bytes(16)
        if kind == 0x1E:
            return self.ascii()
        if kind == 0x1F:
            return self.utf16()
        if kind in (0x102, 0xFB):
            return self.bytes(self.get("H"))
        raise ValueError(f"type {kind:04x}")

    def row(self, tags):
        """PropertyRow: {tag: value}, and {tag: error} of those without"""
        values, errors = {}, {}
        flagged = self.get("B")
        for tag in tags:
            kind = tag & 0xffff
            if kind == 0:
                kind = self.get("H")
            flag = self.get("B") if flagged else 0
            if flag == 0:
                values[tag & 0xffff0000 | kind] = self.value(kind)
            elif flag == 10:
                errors[tag] = self.get("I")
        return values, errors


# --- the client ---------------------------------------------------------------

class Session:
    def __init__(self, server, user=None):
        self.raw = RawMapi(server, user=user, timeout=120)
        self.logon = self.raw.start()
        self.inbox_id = self.raw.logon_ids[4]

    def close(self):
        """Ends the session; it may have died."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.raw.request("Disconnect", struct.pack("<I", 0))
        self.raw.close()

    def rop(self, rop, body, handles, index=None):
        """One ROP whose object is handles[0]. body is what is behind the handle
        indexes. Reader behind ReturnValue; output handle is handles[1]."""
        head = bytes([rop, 0, 0]) if index is None else \
            bytes([rop, 0, 0, index])
        answer = self.raw.execute(head + body, handles)
        if answer.code != 0 or answer.error != 0:
            raise TestFailure(f"ROP 0x{rop:x}: X-ResponseCode {answer.code}, "
                              f"error {answer.error}")
        if answer.return_value() != 0:
            raise Error(rop, answer.return_value())
        self.handles = answer.handles
        return Reader(answer.rops, 6)

    def open(self, rop, body, obj):
        """A ROP that opens something: the new handle and the Reader"""
        reader = self.rop(rop, body, [obj, NONE], 1)
        return self.handles[1], reader

    def release(self, handle):
        self.raw.execute(bytes([rawmapi.ROP_RELEASE, 0, 0]), [handle])

    def ids(self, names):
        """Property ids of (set, lid or name)"""
        body = b""
        for guid, name in names:
            if isinstance(name, int):
                body += b"\0" + guid + struct.pack("<I", name)
            else:
                name = name.encode("utf-16le") + b"\0\0"
                body += b"\1" + guid + bytes([len(name)]) + name
        reader = self.rop(GET_IDS, struct.pack("<BH", 2, len(names)) + body,
                          [self.logon])
        return [reader.get("H") for _ in range(reader.get("H"))]

    # --- folders
    def folder_id(self, name):
        """Of a folder below the IPM subtree"""
        subtree = self.raw.open_folder(self.logon, self.raw.logon_ids[3])
        table, _ = self.open(rawmapi.ROP_HIERARCHY_TABLE, b"\0", subtree)
        for row in self.rows(table, (0x67480014, DISPLAY_NAME)):
            if row[DISPLAY_NAME] == name:
                return struct.pack("<q", row[0x67480014])
        raise TestFailure(f"no folder {name}")

    def rows(self, table, tags):
        """{tag: value} of all rows of a table"""
        self.rop(rawmapi.ROP_SET_COLUMNS, struct.pack(
            f"<BH{len(tags)}I", 0, len(tags), *tags), [table])
        self.rop(rawmapi.ROP_SEEK_ROW, struct.pack("<BiB", 0, 0, 0), [table])
        result = []
        while True:
            reader = self.rop(rawmapi.ROP_QUERY_ROWS, struct.pack(
                "<BBH", 0, 1, 500), [table])
            _, count = reader.get("BH")
            if count == 0:
                return result
            result += [reader.row(tags)[0] for _ in range(count)]

    def contents(self, folder_id, tags, fai=False):
        """Rows of a new table"""
        folder = self.raw.open_folder(self.logon, folder_id)
        table, _ = self.open(rawmapi.ROP_CONTENTS_TABLE,
                             b"\2" if fai else b"\0", folder)
        rows = self.rows(table, tags)
        self.release(table)
        self.release(folder)
        for row in rows:
            if MID in row:
                # as save() has it: a PtypInteger64 has a sign
                row[MID] %= 1 << 64
        return rows

    # --- messages
    def create(self, folder_id=None, fai=False):
        return self.open(CREATE_MESSAGE, struct.pack("<H", 0x0fff) + (
            folder_id or self.inbox_id) + bytes([fai]), self.logon)[0]

    def open_message(self, mid, folder_id=None, mode=BEST_ACCESS):
        return self.open(OPEN_MESSAGE, struct.pack("<H", 0x0fff) + (
            folder_id or self.inbox_id) + struct.pack("<BQ", mode, mid),
            self.logon)[0]

    def save(self, message, flags=SAVE_READ_WRITE):
        """The message's id"""
        # the response's handle is index 0's
        reader = self.rop(SAVE_MESSAGE, bytes([0, flags]), [message])
        return reader.get("BQ")[1]

    # --- properties
    def problems(self, reader):
        """{tag: error}"""
        result = {}
        for _ in range(reader.get("H")):
            _, tag, error = reader.get("HII")
            result[tag] = error
        return result

    def set(self, obj, values):
        body = struct.pack("<H", len(values)) + b"".join(
            struct.pack("<I", tag) + pack_value(tag & 0xffff, value)
            for tag, value in values.items())
        return self.problems(self.rop(SET_PROPS, struct.pack(
            "<H", len(body)) + body, [obj]))

    def delete(self, obj, tags):
        return self.problems(self.rop(DELETE_PROPS, struct.pack(
            f"<H{len(tags)}I", len(tags), *tags), [obj]))

    def get(self, obj, tags):
        """Values and errors, see Reader.row()"""
        return self.rop(rawmapi.ROP_GET_PROPS, struct.pack(
            f"<HHH{len(tags)}I", 0, 1, len(tags), *tags), [obj]).row(tags)

    def get_one(self, obj, tag):
        """None if it hasn't it"""
        return self.get(obj, [tag])[0].get(tag)

    def get_all(self, obj):
        reader = self.rop(rawmapi.ROP_GET_PROPS_ALL,
                          struct.pack("<HH", 0, 1), [obj])
        result = {}
        for _ in range(reader.get("H")):
            tag = reader.get("I")
            result[tag] = reader.value(tag & 0xffff)
        return result

    def copy_to(self, source, dest, excluded=(), flags=0, sub_objects=1):
        return self.problems(self.rop(COPY_TO, struct.pack(
            f"<BBBH{len(excluded)}I", 0, sub_objects, flags, len(excluded),
            *excluded), [source, dest], 1))

    def copy_props(self, source, dest, tags, flags=0):
        return self.problems(self.rop(COPY_PROPS, struct.pack(
            f"<BBH{len(tags)}I", 0, flags, len(tags), *tags),
            [source, dest], 1))

    # --- streams
    def open_stream(self, obj, tag, mode=READ_ONLY):
        """Handle, size"""
        handle, reader = self.open(rawmapi.ROP_OPEN_STREAM,
                                   struct.pack("<IB", tag, mode), obj)
        return handle, reader.get("I")

    def write(self, stream, data, chunk=0x7000):
        for pos in range(0, len(data), chunk):
            part = data[pos:pos + chunk]
            reader = self.rop(WRITE_STREAM, struct.pack(
                "<H", len(part)) + part, [stream])
            if reader.get("H") != len(part):
                raise TestFailure("WrittenSize")

    def write_stream(self, obj, tag, data):
        stream, _ = self.open_stream(obj, tag, CREATE)
        self.write(stream, data)
        self.rop(COMMIT_STREAM, b"", [stream])
        self.release(stream)

    def read_stream(self, obj, tag):
        stream, size = self.open_stream(obj, tag)
        data = b""
        while True:
            reader = self.rop(rawmapi.ROP_READ_STREAM,
                              struct.pack("<H", 0x7000), [stream])
            part = reader.bytes(reader.get("H"))
            data += part
            if not part:
                break
        self.release(stream)
        if len(data) != size:
            raise TestFailure(f"StreamSize {size}, {len(data)} bytes read")
        return data

    # --- recipients
    def modify_recipients(self, message, columns, rows):
        """rows: (row id, type, name, SMTP address, {column: value}); name None
        removes."""
        body = struct.pack(f"<H{len(columns)}IH", len(columns), *columns,
                           len(rows))
        for row_id, kind, name, address, values in rows:
            body += struct.pack("<IB", row_id, kind)
            if name is None:
                body += struct.pack("<H", 0)
                continue
            # SMTP, e-mail, display name, Unicode
            row = struct.pack("<H", 0x0003 | 0x0008 | 0x0010 | 0x0200)
            row += pack_value(0x1F, address) + pack_value(0x1F, name)
            row += struct.pack("<HB", len(columns), 1)
            for column in columns:
                if column in values:
                    row += b"\0" + pack_value(column & 0xffff, values[column])
                else:
                    row += b"\x0a" + struct.pack("<I", EC_NOT_FOUND)
            body += struct.pack("<H", len(row)) + row
        self.rop(MODIFY_RECIPIENTS, body, [message])

    def recipients(self, message, mid, folder_id=None):
        """[(row id, type, name, address, {column: value})] by opening it again,
        where RopOpenMessage says which columns there are"""
        _, reader = self.open(OPEN_MESSAGE, struct.pack("<H", 0x0fff) + (
            folder_id or self.inbox_id) + struct.pack("<BQ", 0, mid),
            self.logon)
        self.release(self.handles[1])
        reader.get("B")
        for _ in range(2):
            kind = reader.get("B")
            if kind == 4:
                reader.utf16()
            elif kind in (2, 3):
                reader.ascii()
        count, columns = reader.get("HH")
        tags = [reader.get("I") for _ in range(columns)]
        result = []
        while len(result) < count:
            next_id = result[-1][0] + 1 if result else 0
            reader = self.rop(READ_RECIPIENTS, struct.pack(
                "<IH", next_id, 0), [message])
            rows = reader.get("B")
            for _ in range(rows):
                row_id, kind, _, _, size = reader.get("IBHHH")
                end = reader.pos + size
                result.append((row_id, kind) + self.recipient(reader, tags))
                if reader.pos != end:
                    raise TestFailure("RecipientRowSize")
        return result

    def recipient(self, reader, tags):
        flags = reader.get("H")
        name = address = None
        if flags & 7 == 1:
            reader.get("BB")
            address = reader.ascii().decode()
        text = reader.utf16 if flags & 0x200 else reader.ascii
        if flags & 0x8:
            address = text()
        if flags & 0x10:
            name = text()
        values = {}
        if flags & 0x400:
            values[0x39FF001F] = text()
        if flags & 0x20:
            values[0x3A20001F] = text()
        elif flags & 0x40:
            values[0x3A20001F] = name
        values.update(reader.row(tags[:reader.get("H")])[0])
        return name, address, values

    # --- attachments
    def create_attachment(self, message):
        """Handle, number"""
        handle, reader = self.open(CREATE_ATTACHMENT, b"", message)
        return handle, reader.get("I")

    def open_attachment(self, message, num, mode=BEST_ACCESS):
        return self.open(OPEN_ATTACHMENT, struct.pack("<BI", mode, num),
                         message)[0]

    def save_attachment(self, attachment, message, flags=SAVE_READ_WRITE):
        # the message is the response's object, index 0
        self.rop(SAVE_ATTACHMENT, bytes([1, flags]), [message, attachment])

    def attachment_nums(self, message):
        reader = self.rop(VALID_ATTACHMENTS, b"", [message])
        return [reader.get("I") for _ in range(reader.get("I"))]

    def open_embedded(self, attachment, mode=BEST_ACCESS):
        return self.open(OPEN_EMBEDDED, struct.pack("<HB", 0x0fff, mode),
                         attachment)[0]
