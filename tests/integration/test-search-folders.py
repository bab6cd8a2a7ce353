#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 200
"""Search folders as Outlook makes and uses them: what they find while mail comes
and goes over IMAP and LMTP, what they are after a restart, and what is refused."""

import contextlib
import struct
import time

import rawmapi
from rawmapi import RawMapi
from readlib import append, check, check_equal, imap_ok, imap_quote, \
    imap_session, main

ROP_CREATE, ROP_DELETE, ROP_EMPTY = 0x1C, 0x1D, 0x58
ROP_DELETE_MESSAGES, ROP_MOVE_COPY, ROP_SET_READ = 0x1E, 0x33, 0x66
ROP_HARD_DELETE = 0x91
ROP_SET_CRITERIA, ROP_GET_CRITERIA, ROP_GET_PROPS = 0x30, 0x31, 0x07
ROOT, IPM_SUBTREE, INBOX, FINDER = 0, 3, 4, 10
NONE = 0xffffffff

STOP, RESTART, RECURSIVE, SHALLOW, STATIC = 1, 2, 4, 8, 0x40000
STATE_RUNNING, STATE_REBUILD, STATE_RECURSIVE = 1, 2, 4
STATE_COMPLETE, STATE_STATIC = 0x1000, 0x10000

EC_SEARCH_FOLDER, EC_NOT_SEARCH_FOLDER = 0x460, 0x461
EC_SCOPE_VIOLATION, EC_NOT_INITIALIZED = 0x490, 0x80040605
EC_TOO_COMPLEX, EC_DUPLICATE_NAME = 0x80040117, 0x80040604

SUBJECT, MESSAGE_FLAGS, BODY = 0x0037001F, 0x0E070003, 0x1000001F
MID, FOLDER_ID, PARENT_ID = 0x674A0014, 0x67480014, 0x67490014
FOLDER_TYPE, CONTENT_COUNT, UNREAD_COUNT = 0x36010003, 0x36020003, 0x36030003
CREATION_TIME, STORE_STATE = 0x30070040, 0x340E0003
ACCESS, DISPLAY_NAME = 0x0FF40003, 0x3001001F


def utf16(text):
    return text.encode("utf-16-le") + b"\0\0"


def res_content(tag, text):
    """FL_SUBSTRING | FL_IGNORECASE"""
    return struct.pack("<BHHII", 3, 1, 1, tag, tag) + utf16(text)


def res_unread():
    return struct.pack("<BBII", 6, 0, MESSAGE_FLAGS, 1)


def res_and(*parts):
    return struct.pack("<BH", 0, len(parts)) + b"".join(parts)


def res_or(*parts):
    return struct.pack("<BH", 1, len(parts)) + b"".join(parts)


def mail(subject, text="text"):
    return (f"From: a@example.net\r\nSubject: {subject}\r\n\r\n"
            f"{text}\r\n").encode()


class Client:
    """A session with the folders that it has open."""

    def __init__(self, server):
        self.raw = RawMapi(server, timeout=60)
        self.logon = self.raw.start()
        self.finder = self.open(self.special(FINDER))

    def close(self):
        self.raw.close()

    def special(self, index):
        return self.raw.logon_ids[index]

    def open(self, fid):
        return self.raw.open_folder(self.logon, fid)

    def rop(self, rop, handles):
        answer = self.raw.execute(rop, handles)
        check_equal((answer.code, answer.error), (0, 0), "Execute")
        return answer

    def create(self, parent, name, kind=2, open_existing=0):
        """(ReturnValue, handle, folder id)"""
        answer = self.rop(
            struct.pack("<BBBBBBBB", ROP_CREATE, 0, 0, 1, kind, 1,
                        open_existing, 0) + utf16(name) + utf16(""),
            [parent, NONE])
        if answer.return_value() != 0:
            return answer.return_value(), None, None
        return 0, answer.handles[1], answer.rops[6:14]

    def made(self, parent, name, **args):
        value, handle, fid = self.create(parent, name, **args)
        check_equal(value, 0, f"creating {name}")
        return handle, fid

    def set_criteria(self, folder, restriction, fids, flags):
        """ReturnValue"""
        return self.rop(
            struct.pack("<BBBH", ROP_SET_CRITERIA, 0, 0, len(restriction)) +
            restriction + struct.pack("<H", len(fids)) + b"".join(fids) +
            struct.pack("<I", flags), [folder]).return_value()

    def criteria(self, folder, unicode=1, restriction=1, folders=1):
        """(ReturnValue, restriction, folder ids, SearchFlags)"""
        answer = self.rop(struct.pack("<BBBBBB", ROP_GET_CRITERIA, 0, 0,
                                      unicode, restriction, folders), [folder])
        if answer.return_value() != 0:
            check_equal(len(answer.rops), 6, "size of the response")
            return answer.return_value(), None, None, None
        size = struct.unpack_from("<H", answer.rops, 6)[0]
        pos = 8 + size
        found = answer.rops[8:pos]
        logon, count = struct.unpack_from("<BH", answer.rops, pos)
        check_equal(logon, 0, "LogonId")
        pos += 3
        fids = [answer.rops[pos + i * 8:pos + i * 8 + 8] for i in range(count)]
        pos += count * 8
        check_equal(len(answer.rops), pos + 4, "size of the response")
        return 0, found, fids, struct.unpack_from("<I", answer.rops, pos)[0]

    def table(self, folder):
        table = self.raw.contents_table(folder)
        answer = self.rop(struct.pack(
            "<BBBBHIIII", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 4, MID, FOLDER_ID,
            PARENT_ID, SUBJECT), [table])
        check_equal(answer.return_value(), 0, "RopSetColumns")
        return table

    def rows(self, table):
        """{subject: (message id, folder id)}"""
        answer = self.rop(
            struct.pack("<BBBBiB", rawmapi.ROP_SEEK_ROW, 0, 0, 0, 0, 0) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 200),
            [table])
        pos = 6 + 5
        check_equal(answer.return_value(pos), 0, "RopQueryRows")
        count = struct.unpack_from("<H", answer.rops, pos + 7)[0]
        pos += 9
        rows = {}
        for _ in range(count):
            check_equal(answer.rops[pos], 0, "flag of the row")
            mid, fid, parent = (answer.rops[pos + 1 + i * 8:pos + 9 + i * 8]
                                for i in range(3))
            check_equal(fid, parent, "PidTagParentFolderId")
            end = pos + 25
            while answer.rops[end:end + 2] != b"\0\0":
                end += 2
            subject = answer.rops[pos + 25:end].decode("utf-16-le")
            check(subject not in rows, f"{subject} twice")
            rows[subject] = (mid, fid)
            pos = end + 2
        return rows

    def numbers(self, folder, *tags):
        answer = self.rop(struct.pack(
            "<BBBHHH", ROP_GET_PROPS, 0, 0, 0, 1, len(tags)) +
            struct.pack(f"<{len(tags)}I", *tags), [folder])
        check_equal((answer.return_value(), answer.rops[6]), (0, 0),
                    "RopGetPropertiesSpecific")
        types = "".join("Q" if tag & 0xffff == 0x40 else "I" for tag in tags)
        return struct.unpack_from("<" + types, answer.rops, 7)

    def open_message(self, fid, mid):
        answer = self.rop(struct.pack(
            "<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1, 0x0fff) + fid +
            b"\3" + mid, [self.logon, NONE])
        return answer.return_value()

    def on_messages(self, rop, head, mids, tail=b"", handles=()):
        """(ReturnValue, PartialCompletion)"""
        answer = self.rop(bytes([rop, 0, 0]) + head +
                          struct.pack("<H", len(mids)) + b"".join(mids) + tail,
                          list(handles))
        return answer.return_value(), answer.rops[-1]

    def hierarchy(self, folder):
        """{name: (PidTagFolderType, PidTagContentCount)}"""
        answer = self.rop(
            struct.pack("<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1, 0) +
            struct.pack("<BBBBHIII", rawmapi.ROP_SET_COLUMNS, 0, 1, 0, 3,
                        FOLDER_TYPE, CONTENT_COUNT, DISPLAY_NAME) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 1, 0, 1, 100),
            [folder, NONE])
        pos = 10 + 7
        check_equal(answer.return_value(pos), 0, "RopQueryRows")
        count = struct.unpack_from("<H", answer.rops, pos + 7)[0]
        pos += 9
        result = {}
        for _ in range(count):
            kind, messages = struct.unpack_from("<II", answer.rops, pos + 1)
            end = pos + 9
            while answer.rops[end:end + 2] != b"\0\0":
                end += 2
            name = answer.rops[pos + 9:end].decode("utf-16-le")
            result[name] = (kind, messages)
            pos = end + 2
        return result


@contextlib.contextmanager
def session(server):
    client = Client(server)
    try:
        yield client
    finally:
        client.close()


def wait_rows(client, table, wanted):
    """What LMTP delivers is there a moment later."""
    for _ in range(50):
        if set(client.rows(table)) == wanted:
            break
        time.sleep(0.1)
    check_equal(set(client.rows(table)), wanted, "rows")


def test_dynamic(server):
    append(server, "INBOX", mail("find me"))
    append(server, "INBOX", mail("other"))
    append(server, "Box/Inner", mail("Find me too"), flags="\\Seen")
    with session(server) as client:
        folder, fid = client.made(client.finder, "Dynamic")
        check_equal(client.criteria(folder)[0], EC_NOT_INITIALIZED, "new")
        table = client.table(folder)
        check_equal(client.rows(table), {}, "new")
        top = client.special(IPM_SUBTREE)
        restriction = res_content(SUBJECT, "find ME")
        check_equal(client.set_criteria(folder, restriction, [top],
                                        RESTART | RECURSIVE), 0, "set")
        check_equal(set(client.rows(table)), {"find me", "Find me too"},
                    "rows of the open table")
        value, found, scope, state = client.criteria(folder)
        check_equal((value, found, scope), (0, restriction, [top]), "criteria")
        check_equal(state & (STATE_RUNNING | STATE_REBUILD | STATE_RECURSIVE |
                             STATE_COMPLETE | STATE_STATIC),
                    STATE_RUNNING | STATE_RECURSIVE | STATE_COMPLETE, "state")
        check_equal(client.criteria(folder, unicode=0)[1], struct.pack(
            "<BHHII", 3, 1, 1, 0x0037001E, 0x0037001E) + b"find ME\0",
            "8-bit strings")
        check_equal(client.criteria(folder, restriction=0, folders=0)[1:3],
                    (b"", []), "nothing asked for")

        server.lmtp(mail("please find me"))
        wait_rows(client, table, {"find me", "Find me too", "please find me"})
        check_equal(client.numbers(folder, FOLDER_TYPE, CONTENT_COUNT,
                                   UNREAD_COUNT), (2, 3, 2), "properties")
        access = client.numbers(folder, ACCESS)[0]
        check_equal(access & 0x18, 0, "nothing can be created in it")
        check_equal(client.hierarchy(client.finder)["Dynamic"], (2, 3), "row")
        check_equal(client.numbers(client.logon, STORE_STATE), (0x01000000,),
                    "STORE_HAS_SEARCHES")
        with imap_session(server) as imap:
            imap_ok(imap.select("INBOX"))
            imap_ok(imap.store("1", "+FLAGS", "(\\Deleted)"))
            imap_ok(imap.expunge())
        check_equal(set(client.rows(table)),
                    {"Find me too", "please find me"}, "expunged")

        # rows are the messages where they are
        rows = client.rows(table)
        check_equal(rows["please find me"][1], client.special(INBOX), "folder")
        check(rows["Find me too"][1] not in (fid, client.special(INBOX)),
              "folder")
        for mid, real in rows.values():
            check_equal(client.open_message(real, mid), 0, "by its folder")
            check_equal(client.open_message(fid, mid), 0, "by the search")
    server.restart()
    with session(server) as client:
        folder, again = client.made(client.finder, "Dynamic", open_existing=1)
        check_equal(again, fid, "folder id")
        check_equal(client.criteria(folder)[1:3], (restriction, [top]),
                    "criteria")
        check_equal(client.rows(client.table(folder)), rows, "rows")
        with imap_session(server) as imap:
            names = b" ".join(line for line in imap_ok(imap.list()) if line)
        check(b"Dynamic" not in names and b"mapi" not in names, "LIST")
        answer = client.rop(struct.pack("<BBBB", ROP_DELETE, 0, 0, 0x10) + fid,
                            [client.finder])
        check_equal((answer.return_value(), answer.rops[6]), (0, 0), "delete")
        check("Dynamic" not in client.hierarchy(client.finder), "deleted")
        check_equal(set(client.rows(client.table(client.open(
            client.special(INBOX))))) >= {"please find me"}, True, "its mail")


def test_static(server):
    append(server, "Still", mail("one"))
    append(server, "Still", mail("two"))
    with session(server) as client:
        top = client.open(client.special(IPM_SUBTREE))
        _, still = client.made(top, "Still", kind=1, open_existing=1)
        folder, fid = client.made(top, "Photo")
        check_equal(client.set_criteria(folder, res_unread(), [still],
                                        RESTART | STATIC), 0, "set")
        append(server, "Still", mail("three"))
        with imap_session(server) as imap:
            imap_ok(imap.select("Still"))
            imap_ok(imap.store("1", "+FLAGS", "(\\Seen)"))
        check_equal(client.criteria(folder)[3] &
                    (STATE_RUNNING | STATE_STATIC | STATE_COMPLETE),
                    STATE_STATIC | STATE_COMPLETE, "state")
        check_equal(set(client.rows(client.table(folder))), {"one", "two"},
                    "rows")
    server.restart()
    with session(server) as client:
        folder = client.open(fid)
        table = client.table(folder)
        check_equal(set(client.rows(table)), {"one", "two"}, "restarted")
        check_equal(client.numbers(folder, CONTENT_COUNT, UNREAD_COUNT),
                    (2, 1), "counts")
        # also with when it was created between them
        counts = client.numbers(folder, CONTENT_COUNT, CREATION_TIME,
                                UNREAD_COUNT)
        check_equal(counts[::2], (2, 1), "counts")
        check_equal(client.set_criteria(folder, b"", [], RESTART | STATIC), 0,
                    "once more")
        check_equal(set(client.rows(table)), {"two", "three"}, "once more")
        # and from now on
        check_equal(client.set_criteria(folder, b"", [], RESTART), 0, "follow")
        append(server, "Still", mail("four"))
        check_equal(set(client.rows(table)), {"two", "three", "four"}, "more")
        # which stopping doesn't change: [MS-OXCFOLD] 3.2.5.4
        check_equal(client.set_criteria(folder, b"", [], STOP), 0, "stop")
        append(server, "Still", mail("five"))
        check_equal(set(client.rows(table)), {"two", "three", "four", "five"},
                    "stopped")


def test_bodies(server):
    append(server, "Bodies", mail("b1", "the needle is here"))
    append(server, "Bodies", mail("b2", "nothing"))
    append(server, "Bodies", mail("needle", "in the subject"))
    with session(server) as client:
        top = client.open(client.special(IPM_SUBTREE))
        _, scope = client.made(top, "Bodies", kind=1, open_existing=1)
        folder, _ = client.made(client.finder, "Quick search")
        check_equal(client.set_criteria(
            folder, res_or(res_content(SUBJECT, "needle"),
                           res_content(BODY, "needle")), [scope],
            RESTART | SHALLOW), 0, "set")
        table = client.table(folder)
        check_equal(set(client.rows(table)), {"b1", "needle"}, "rows")
        # another word is typed
        check_equal(client.set_criteria(
            folder, res_and(res_content(BODY, "noth"), res_unread()), [],
            RESTART), 0, "set")
        check_equal(set(client.rows(table)), {"b2"}, "rows")


def test_messages(server):
    """Operations on messages that the client names by the search folder."""
    append(server, "Ops/A", mail("op a"))
    append(server, "Ops/B", mail("op b"))
    append(server, "Ops/B", mail("op c"))
    with session(server) as client:
        top = client.open(client.special(IPM_SUBTREE))
        folder, fid = client.made(client.finder, "Ops")
        ops, ops_id = client.made(top, "Ops", kind=1, open_existing=1)
        check_equal(client.set_criteria(folder, res_content(SUBJECT, "op "),
                                        [ops_id], RESTART | RECURSIVE), 0,
                    "set")
        table = client.table(folder)
        rows = client.rows(table)
        mids = [rows[f"op {c}"][0] for c in "abc"]
        check_equal(client.on_messages(ROP_SET_READ, b"\0\0", mids,
                                       handles=[folder]), (0, 0), "read")
        check_equal(client.numbers(folder, CONTENT_COUNT, UNREAD_COUNT),
                    (3, 0), "counts")
        check_equal(client.on_messages(ROP_DELETE_MESSAGES, b"\0\0", mids[:2],
                                       handles=[folder]), (0, 0), "delete")
        check_equal(set(client.rows(table)), {"op c"}, "deleted")
        check_equal(client.on_messages(ROP_HARD_DELETE, b"\0\0", mids[:1],
                                       handles=[folder]), (0, 0),
                    "hard delete of one that's soft deleted")
        dest, _ = client.made(top, "Away", kind=1)
        value, partial = client.on_messages(
            ROP_MOVE_COPY, b"\1", mids[2:] + mids[:1], b"\0\0",
            [folder, dest])
        check_equal((value, partial), (0, 1), "move; one has gone")
        check_equal(client.rows(table), {}, "moved")
        # not into it
        inbox = client.open(client.special(INBOX))
        check_equal(client.on_messages(ROP_MOVE_COPY, b"\1", mids, b"\0\1",
                                       [inbox, folder])[0],
                    EC_SEARCH_FOLDER, "copy into it")
        check_equal(client.rop(struct.pack("<BBBBB", ROP_EMPTY, 0, 0, 0, 0),
                               [folder]).return_value(),
                    rawmapi.EC_NOT_SUPPORTED, "empty")
    with imap_session(server) as imap:
        check_equal(imap_ok(imap.select(imap_quote("Away")))[0], b"1", "Away")


def test_errors(server):
    with session(server) as client:
        top, inbox = client.special(IPM_SUBTREE), client.special(INBOX)
        folder, fid = client.made(client.finder, "Errors")
        other, other_id = client.made(client.finder, "Other")
        res = res_unread()
        check_equal(client.create(folder, "Sub")[0], EC_SEARCH_FOLDER, "below")
        check_equal(client.create(folder, "Sub", kind=1)[0], EC_SEARCH_FOLDER,
                    "below")
        check_equal(client.create(client.finder, "errors")[0],
                    EC_DUPLICATE_NAME, "same name")
        check_equal(client.set_criteria(client.finder, res, [top], RESTART),
                    EC_NOT_SEARCH_FOLDER, "an ordinary folder")
        check_equal(client.criteria(client.finder)[0], EC_NOT_SEARCH_FOLDER,
                    "an ordinary folder")
        check_equal(client.set_criteria(client.logon, res, [top], RESTART),
                    rawmapi.EC_NOT_SUPPORTED, "a logon")
        for what, scope in (("itself", fid), ("another", other_id),
                            ("no replica", b"\7\0" + fid[2:])):
            check_equal(client.set_criteria(folder, res, [inbox, scope],
                                            RESTART), EC_SCOPE_VIOLATION, what)
        check_equal(client.set_criteria(folder, res,
                                        [fid[:2] + b"\0\0\xee\xee\xee\xee"],
                                        RESTART), rawmapi.EC_NOT_FOUND,
                    "unknown folder")
        check_equal(client.set_criteria(folder, b"", [top], RESTART),
                    EC_NOT_INITIALIZED, "no restriction")
        check_equal(client.set_criteria(folder, res, [], RESTART),
                    EC_NOT_INITIALIZED, "no scope")
        for flags in (STOP | RESTART, RECURSIVE | SHALLOW, 0x30000):
            check_equal(client.set_criteria(folder, res, [top], flags),
                        rawmapi.EC_INVALID_PARAMETER, f"flags {flags:x}")
        check_equal(client.set_criteria(folder, res, [top] * 600, RESTART),
                    EC_TOO_COMPLEX, "too many folders")
        check_equal(client.set_criteria(
            folder, res_content(SUBJECT, "x" * 9000), [top], RESTART),
            EC_TOO_COMPLEX, "too long")
        deep = res
        for _ in range(300):
            deep = b"\2" + deep
        check_equal(client.set_criteria(folder, deep, [top], RESTART),
                    EC_TOO_COMPLEX, "too deep")
        check_equal(client.criteria(folder)[0], EC_NOT_INITIALIZED, "none set")
        # a scope that goes away
        box, box_id = client.made(client.open(top), "Short-lived", kind=1)
        append(server, "Short-lived", mail("gone soon"))
        check_equal(client.set_criteria(folder, res, [box_id], RESTART), 0,
                    "set")
        table = client.table(folder)
        check_equal(set(client.rows(table)), {"gone soon"}, "rows")
        with imap_session(server) as imap:
            imap_ok(imap.delete("Short-lived"))
        check_equal(client.rows(table), {}, "scope deleted")
        check_equal(client.criteria(folder)[2], [box_id], "scope")


if __name__ == "__main__":
    main()
