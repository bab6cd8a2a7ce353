# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of changing folders share: a MAPI session that does it, and what
IMAP says of it."""

import base64
import contextlib
import http.client
import re
import struct

import rawmapi
from rawmapi import RawMapi
from readlib import check_equal, imap_ok, imap_quote, imap_session

ROP_PROPS_LIST, ROP_SET_PROPS, ROP_DELETE_PROPS = 0x09, 0x0A, 0x0B
ROP_CREATE, ROP_DELETE = 0x1C, 0x1D
ROP_WRITE_STREAM, ROP_COMMIT_STREAM = 0x2D, 0x5D
ROP_IDS_FROM_NAMES = 0x56
ROP_MOVE, ROP_COPY, ROP_EMPTY, ROP_HARD_EMPTY = 0x35, 0x36, 0x58, 0x92
DEL_MESSAGES, DEL_FOLDERS, DELETE_HARD = 0x01, 0x04, 0x10
ROOT, IPM_SUBTREE, INBOX, DELETED_ITEMS, FINDER = 0, 3, 4, 7, 10

EC_DUPLICATE_NAME = 0x80040604
EC_FOLDER_CYCLE = 0x8004060B
EC_COMPUTED = 0x8004011A
EC_ACCESS_DENIED = 0x80070005
EC_DST_NULL_OBJECT = 0x503
PIDTAG_DISPLAY_NAME = 0x3001001F
PIDTAG_CONTAINER_CLASS8 = 0x3613001E
PIDTAG_CONTENT_COUNT = 0x36020003


def utf16(name):
    return name.encode("utf-16-le", "surrogatepass") + b"\0\0"


class Client:
    """A session with the folders that it has open."""

    def __init__(self, server, user=None):
        self.raw = RawMapi(server, user)
        self.logon = self.raw.start()
        self.top = self.open(self.special(IPM_SUBTREE))

    def close(self):
        """Ends the session."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.raw.request("Disconnect", b"\0" * 4)
        self.raw.close()

    def special(self, index):
        return self.raw.logon_ids[index]

    def open(self, fid):
        return self.raw.open_folder(self.logon, fid)

    def rop(self, rop, handles):
        answer = self.raw.execute(rop, handles)
        check_equal((answer.code, answer.error), (0, 0), "Execute")
        return answer

    def create(self, parent, name, open_existing=0, kind=1, comment="",
               encoded=None):
        """(ReturnValue, handle, folder id)"""
        strings = utf16(name) + utf16(comment) if encoded is None else encoded
        answer = self.rop(
            struct.pack("<BBBBBBBB", ROP_CREATE, 0, 0, 1, kind,
                        1 if encoded is None else 0, open_existing, 0) +
            strings, [parent, 0xffffffff])
        if answer.return_value() != 0:
            return answer.return_value(), None, None
        check_equal(len(answer.rops), 15, "size of the response")
        check_equal(answer.rops[14], 0, "IsExistingFolder")
        return 0, answer.handles[1], answer.rops[6:14]

    def made(self, parent, name, **args):
        value, handle, fid = self.create(parent, name, **args)
        check_equal(value, 0, f"creating {name}")
        return handle, fid

    def partial(self, answer):
        """(ReturnValue, PartialCompletion)"""
        check_equal(len(answer.rops), 7, "size of the response")
        return answer.return_value(), answer.rops[6]

    def delete(self, parent, fid, flags):
        return self.partial(self.rop(struct.pack(
            "<BBBB", ROP_DELETE, 0, 0, flags) + fid, [parent]))

    def move(self, parent, dest, fid, name):
        return self.partial(self.rop(struct.pack(
            "<BBBBBB", ROP_MOVE, 0, 0, 1, 1, 1) + fid + utf16(name),
            [parent, dest]))

    def copy(self, parent, dest, fid, name, recursive=1):
        return self.partial(self.rop(struct.pack(
            "<BBBBBBB", ROP_COPY, 0, 0, 1, 0, recursive, 1) + fid +
            utf16(name), [parent, dest]))

    def empty(self, folder, rop=ROP_EMPTY, associated=0):
        return self.partial(self.rop(struct.pack(
            "<BBBBB", rop, 0, 0, 0, associated), [folder]))

    def set_props(self, folder, props):
        """props: (tag, bytes). ReturnValue, [(index, tag, error)]"""
        values = b"".join(struct.pack("<I", tag) + value
                          for tag, value in props)
        answer = self.rop(struct.pack(
            "<BBBHH", ROP_SET_PROPS, 0, 0, len(values) + 2, len(props)) +
            values, [folder])
        if answer.return_value() != 0:
            return answer.return_value(), []
        count = struct.unpack_from("<H", answer.rops, 6)[0]
        return 0, [struct.unpack_from("<HII", answer.rops, 8 + i * 10)
                   for i in range(count)]

    def get_prop(self, handle, tag):
        """The bytes of a property's value; its error code if there's none."""
        answer = self.rop(struct.pack(
            "<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1, 1, tag), [handle])
        check_equal(answer.return_value(), 0, "RopGetPropertiesSpecific")
        if answer.rops[6] == 0:
            return answer.rops[7:]
        check_equal(answer.rops[7], 0x0A, "flag of the value")
        return struct.unpack_from("<I", answer.rops, 8)[0]

    def list_props(self, handle):
        answer = self.rop(struct.pack("<BBB", ROP_PROPS_LIST, 0, 0), [handle])
        check_equal(answer.return_value(), 0, "RopGetPropertiesList")
        count = struct.unpack_from("<H", answer.rops, 6)[0]
        return list(struct.unpack_from(f"<{count}I", answer.rops, 8))

    def delete_props(self, handle, tags):
        """ReturnValue, [(index, tag, error)]"""
        answer = self.rop(struct.pack(
            f"<BBBH{len(tags)}I", ROP_DELETE_PROPS, 0, 0, len(tags), *tags),
            [handle])
        if answer.return_value() != 0:
            return answer.return_value(), []
        count = struct.unpack_from("<H", answer.rops, 6)[0]
        return 0, [struct.unpack_from("<HII", answer.rops, 8 + i * 10)
                   for i in range(count)]

    def named_id(self, guid, name):
        """The property id of a name: a LID or a string."""
        ident = struct.pack("<BI", 0, name) if isinstance(name, int) else \
            struct.pack("<BB", 1, len(utf16(name)))
        rop = struct.pack("<BBBBHB", ROP_IDS_FROM_NAMES, 0, 0, 2, 1,
                          ident[0]) + guid + ident[1:]
        if not isinstance(name, int):
            rop += utf16(name)
        answer = self.rop(rop, [self.logon])
        check_equal(answer.return_value(), 0, "RopGetPropertyIdsFromNames")
        return struct.unpack_from("<H", answer.rops, 8)[0]

    def open_stream(self, handle, tag, mode=0):
        """(ReturnValue, handle)"""
        answer = self.rop(struct.pack(
            "<BBBBIB", rawmapi.ROP_OPEN_STREAM, 0, 0, 1, tag, mode),
            [handle, 0xffffffff])
        return answer.return_value(), answer.handles[1]

    def write_stream(self, stream, data):
        for pos in range(0, len(data), 16000):
            part = data[pos:pos + 16000]
            answer = self.rop(struct.pack(
                "<BBBH", ROP_WRITE_STREAM, 0, 0, len(part)) + part, [stream])
            check_equal((answer.return_value(), answer.rops[6:]),
                        (0, struct.pack("<H", len(part))), "RopWriteStream")

    def commit_stream(self, stream):
        return self.rop(struct.pack("<BBB", ROP_COMMIT_STREAM, 0, 0),
                        [stream]).return_value()

    def read_stream(self, handle, tag):
        value, stream = self.open_stream(handle, tag)
        check_equal(value, 0, "RopOpenStream")
        data = b""
        while True:
            answer = self.rop(struct.pack(
                "<BBBH", rawmapi.ROP_READ_STREAM, 0, 0, 16000), [stream])
            check_equal(answer.return_value(), 0, "RopReadStream")
            if len(answer.rops) == 8:
                return data
            data += answer.rops[8:]

    def release(self, handle):
        self.rop(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0), [handle])

    def hierarchy(self, folder):
        """Handle of a table with the names."""
        answer = self.rop(struct.pack(
            "<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1, 0) +
            struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 1, 0, 1,
                        PIDTAG_DISPLAY_NAME), [folder, 0xffffffff])
        check_equal(answer.return_value(), 0, "RopGetHierarchyTable")
        return answer.handles[1]

    def names(self, table):
        """The table's names, from its beginning."""
        answer = self.rop(
            struct.pack("<BBBBiB", rawmapi.ROP_SEEK_ROW, 0, 0, 0, 0, 0) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 100),
            [table])
        pos = 6 + 5
        check_equal(answer.return_value(pos), 0, "RopQueryRows")
        count = struct.unpack_from("<H", answer.rops, pos + 7)[0]
        pos += 9
        names = []
        for _ in range(count):
            check_equal(answer.rops[pos], 0, "flag of the row")
            end = pos + 1
            while answer.rops[end:end + 2] != b"\0\0":
                end += 2
            names.append(answer.rops[pos + 1:end].decode("utf-16-le"))
            pos = end + 2
        return names


@contextlib.contextmanager
def session(server):
    client = Client(server)
    try:
        yield client
    finally:
        client.close()


def imap_names(server, command="list"):
    """Names of the mailboxes that can be selected, decoded."""
    with imap_session(server) as imap:
        lines = imap_ok(getattr(imap, command)())
    names = set()
    for line in lines:
        if line is None:
            continue
        match = re.fullmatch(r'\((.*?)\) "/" (?:"(.*)"|(.*))',
                             line.decode("ascii"))
        if "\\Noselect" not in match[1] and "\\NonExistent" not in match[1]:
            names.add(decode(match[2] or match[3]))
    return names


def decode(name):
    def part(match):
        data = match[1].replace(",", "/")
        return base64.b64decode(data + "=" * (-len(data) % 4)).decode(
            "utf-16-be") if data else "&"
    return re.sub("&([^-]*)-", part, name)


def imap_count(server, name):
    with imap_session(server) as imap:
        return int(imap_ok(imap.select(imap_quote(name), readonly=True))[0])


def fids(server):
    """path -> folder id, as a new session sees them"""
    walk = server.walk("--all-folders", "--rows", "0", "--messages", "0")
    check_equal(walk["violations"], [], "violations")
    return {f["name"]: f["id"] for f in walk["folders"]}


def mids(server, name):
    walk = server.walk("--folder", name, "--rows", "all", "--messages", "0")
    return sorted((row["mid"], row["subject"])
                  for row in walk["tables"][0]["rows"])
