#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
"""What is done to many messages goes on after the request, slice by slice, as the
client asks for progress; and ends where the client ends it."""

import struct

import readlib
from readlib import check, check_equal, imap_ok, imap_quote
from rawmapi import (
    ROP_CONTENTS_TABLE, ROP_RELEASE, execute_body, rop_buffer, rpc_ext)
from writelib import (
    DELETE, HARD_DELETE, MOVE_COPY, NONE, SET_READ_FLAGS, Client, append_many,
    mail, state, subjects)

PROGRESS, EMPTY, HARD_EMPTY = 0x50, 0x58, 0x92
EC_NOT_FOUND = 0x8004010F
SUPPORT_PROGRESS = 0x20000000
# messages of a slice: copied, moved and soft deleted ones, others
COPIES, CHEAP = 2000, 6000
MANY = 2 * COPIES + 100
# with progress of RopSetReadFlags; as many ids as a request can have are more
FLAGS = CHEAP + 500
DONE, PARTIAL = (0, 0), (0, 1)


class Session(Client):
    """A client that asks for asynchronous execution."""

    def __init__(self, server, open_flags=0):
        super().__init__(server)
        if open_flags:
            dn = self.raw.dn().encode() + b"\0"
            answer = self.raw.execute(struct.pack(
                "<BBBBIIH", 0xFE, 0, 0, 1, 0x0100000C | open_flags, 0,
                len(dn)) + dn, [NONE])
            check_equal(answer.return_value(), 0, "RopLogon")
            self.logon = answer.handles[0]

    def execute(self, rops, handles):
        """Also more of it than an extended buffer should have"""
        answer = self.raw.request("Execute", execute_body(
            rpc_ext(rop_buffer(rops, handles))))
        check_equal(answer.code, 0, "X-ResponseCode")
        answer.parse_execute()
        check_equal(answer.error, 0, "Execute")
        return answer.rops

    def result(self, rops, rop):
        """None while the operation goes on, with done and total, or
        (ReturnValue, PartialCompletion)"""
        if rops[0] != PROGRESS:
            check_equal((len(rops), rops[:2]), (7, bytes([rop, 0])),
                        "the operation's own response")
            return struct.unpack_from("<I", rops, 2)[0], rops[6]
        check_equal(rops[:7], bytes([PROGRESS, 0, 0, 0, 0, 0, 0]),
                    "RopProgress")
        check_equal(len(rops), 15, "size of RopProgress's response")
        self.done, self.total = struct.unpack_from("<II", rops, 7)
        check(0 < self.done < self.total, f"{self.done} of {self.total}")
        return None

    def begin(self, rop, handles, mids=(), flags=1, more=b""):
        ids = struct.pack(f"<H{len(mids)}Q", len(mids), *mids)
        body = {DELETE: b"\1\0" + ids, HARD_DELETE: b"\1\0" + ids,
                SET_READ_FLAGS: bytes([1, flags]) + ids,
                MOVE_COPY: b"\1" + ids + b"\1\0",
                EMPTY: b"\1\0", HARD_EMPTY: b"\1\0"}[rop]
        rops = self.execute(bytes([rop, 0, 0]) + body + more, handles)
        return self.result(rops[:7] if more else rops, rop)

    def copy(self, mids, handles):
        ids = struct.pack(f"<H{len(mids)}Q", len(mids), *mids)
        return self.result(self.execute(
            bytes([MOVE_COPY, 0, 0, 1]) + ids + b"\1\1", handles), MOVE_COPY)

    def progress(self, rop, handles, cancel=0, before=b""):
        return self.result(self.execute(
            before + bytes([PROGRESS, 0, 0, cancel]), handles), rop)

    def finish(self, rop, handles):
        """(ReturnValue, PartialCompletion), how many slices it still took"""
        last, slices = self.done, 0
        while True:
            result = self.progress(rop, handles)
            slices += 1
            if result is not None:
                return result, slices
            check(self.done > last, "no progress")
            last = self.done

    def deleted(self, folder):
        """How many messages can be recovered"""
        rops = self.execute(bytes([ROP_CONTENTS_TABLE, 0, 0, 1, 0x20]),
                            [folder, NONE])
        check_equal(rops[:6], bytes([ROP_CONTENTS_TABLE, 1, 0, 0, 0, 0]),
                    "RopGetContentsTable")
        return struct.unpack_from("<I", rops, 6)[0]

    def no_operation(self, handle):
        rops = self.execute(bytes([PROGRESS, 0, 0, 0]), [handle])
        check_equal(rops, struct.pack("<BBI", PROGRESS, 0, EC_NOT_FOUND),
                    "RopProgress of nothing")


def fill(server, name, count):
    """A new mailbox with so many messages"""
    append_many(server, name, [mail(f"message {i:03}") for i in range(100)])
    with readlib.imap_session(server) as imap:
        have = 100
        while have < count:
            imap_ok(imap.select(imap_quote(name)))
            copied = min(have, count - have)
            imap_ok(imap.copy(f"1:{copied}", imap_quote(name)))
            have += copied


def count_messages(server, name):
    with readlib.imap_session(server) as imap:
        return int(imap_ok(imap.select(imap_quote(name), readonly=True))[0])


def test_delete(server):
    fill(server, "Delete", MANY)
    client = Session(server)
    folder = client.folder("Delete")
    table = client.table(folder)
    mids = client.mids(table)
    check_equal(len(mids), MANY, "messages")
    # few are deleted at once, also by those who could wait
    check_equal(client.begin(DELETE, [folder], mids[:10]), DONE, "a few")
    client.no_operation(folder)
    check_equal(client.begin(DELETE, [folder], mids[10:]), None, "many")
    check_equal((client.done, client.total), (COPIES, MANY - 10), "progress")
    # what is acknowledged is done; nothing happens that nobody asks for
    check_equal(count_messages(server, "Delete"), MANY - 10 - COPIES,
                "after a slice")
    check_equal(client.finish(DELETE, [folder]), (DONE, 2), "the rest")
    client.no_operation(folder)
    check_equal(count_messages(server, "Delete"), 0, "in the end")
    check_equal(client.rows(table), [], "the table that was open")
    check_equal(client.deleted(folder), MANY, "that can be recovered")
    client.close()


def test_hard_delete(server):
    fill(server, "Hard", FLAGS)
    client = Session(server)
    folder = client.folder("Hard")
    mids = client.mids(client.table(folder))
    check_equal(client.begin(HARD_DELETE, [folder], mids), None, "begun")
    check_equal(client.finish(HARD_DELETE, [folder]), (DONE, 1), "ended")
    check_equal(count_messages(server, "Hard"), 0, "messages")
    client.close()


def test_move_and_copy(server):
    fill(server, "Source", MANY)
    append_many(server, "Dest", [])
    client = Session(server)
    source, dest = client.folder("Source"), client.folder("Dest")
    mids = client.mids(client.table(source))
    # ids that come twice count once, wherever they are
    check_equal(client.copy(mids[::-1] + mids[:3], [source, dest]), None,
                "RopMoveCopyMessages")
    check_equal((client.done, client.total), (COPIES, MANY), "progress")
    check_equal(client.finish(MOVE_COPY, [source, dest]), (DONE, 2), "copied")
    check_equal(count_messages(server, "Source"), MANY, "in the source")
    wanted = subjects(server, "Source")
    check_equal(subjects(server, "Dest"), wanted, "in the destination")
    # one of them isn't there any more, one never was
    client.delete(mids[-1:], source)
    check_equal(client.begin(MOVE_COPY, [source, dest], mids[:-1] + [12345]),
                None, "RopMoveCopyMessages")
    check_equal(client.finish(MOVE_COPY, [source, dest]), (PARTIAL, 2),
                "moved, not all")
    check_equal(count_messages(server, "Source"), 0, "in the source")
    check_equal(count_messages(server, "Dest"), 2 * MANY - 1,
                "in the destination")
    client.close()


def test_read_flags(server):
    fill(server, "Flags", FLAGS)
    # who doesn't say that it knows RopProgress isn't asked to use it
    client = Session(server)
    folder = client.folder("Flags")
    mids = client.mids(client.table(folder))
    check_equal(client.begin(SET_READ_FLAGS, [folder], mids), DONE, "at once")
    client.close()
    client = Session(server, SUPPORT_PROGRESS)
    folder = client.folder("Flags")
    check_equal(client.begin(SET_READ_FLAGS, [folder], mids, flags=5), None,
                "as unread")
    check_equal((client.done, client.total), (CHEAP, FLAGS), "progress")
    check_equal(sum("\\Seen" in flags for flags in
                    state(server, "Flags").values()), FLAGS - CHEAP, "read")
    check_equal(client.finish(SET_READ_FLAGS, [folder]), (DONE, 1), "ended")
    check_equal(sum("\\Seen" in flags for flags in
                    state(server, "Flags").values()), 0, "read")
    client.close()


def test_empty(server):
    fill(server, "Empty", MANY)
    append_many(server, "Empty/Below", [mail("below")])
    client = Session(server)
    folder = client.folder("Empty")
    check_equal(client.begin(EMPTY, [folder]), None, "RopEmptyFolder")
    check_equal(client.total, MANY + 1, "messages and folders")
    left = count_messages(server, "Empty")
    check(0 < left < MANY, f"{left} messages after a slice")
    # what comes meanwhile stays
    append_many(server, "Empty", [mail("new")])
    result, _ = client.finish(EMPTY, [folder])
    check_equal(result, DONE, "in the end")
    check_equal(subjects(server, "Empty"), ["new"], "messages")
    check_equal(client.deleted(folder), MANY, "that can be recovered")
    # one message; those that were soft deleted go with it
    check_equal(client.begin(HARD_EMPTY, [folder]), DONE, "for good")
    check_equal(client.deleted(folder), 0, "that can be recovered")
    client.close()


def test_cancel(server):
    fill(server, "Cancel", MANY)
    client = Session(server)
    folder = client.folder("Cancel")
    mids = client.mids(client.table(folder))
    check_equal(client.begin(DELETE, [folder], mids), None, "begun")
    check_equal(client.progress(DELETE, [folder], cancel=1), PARTIAL,
                "cancelled")
    client.no_operation(folder)
    check_equal(client.mids(client.table(folder)), mids[COPIES:], "left")
    check_equal(client.begin(EMPTY, [folder]), None, "RopEmptyFolder")
    check_equal(client.progress(EMPTY, [folder], cancel=1), PARTIAL,
                "cancelled")
    check_equal(client.mids(client.table(folder)), mids[2 * COPIES:], "left")
    client.close()


def test_interrupted(server):
    """[MS-OXCPRPT] 3.1.5: another operation of the same logon"""
    fill(server, "Interrupted", MANY)
    client = Session(server)
    folder = client.folder("Interrupted")
    mids = client.mids(client.table(folder))

    def left():
        return count_messages(server, "Interrupted")

    check_equal(client.begin(DELETE, [folder], mids), None, "begun")
    check(client.raw.alive(client.logon), "the other operation")
    check_equal(client.progress(DELETE, [folder]), PARTIAL, "interrupted")
    check_equal(left(), MANY - COPIES, "messages")
    # two at the same time: the second one is what is asked for
    fill(server, "Second", COPIES + 1)
    second = client.folder("Second")
    second_mids = client.mids(client.table(second))
    check_equal(client.begin(DELETE, [second], second_mids), None, "first")
    check_equal(client.begin(EMPTY, [folder]), None, "second")
    check_equal(client.progress(EMPTY, [folder], cancel=1), PARTIAL, "second")
    client.no_operation(second)
    check_equal(count_messages(server, "Second"), 1, "of the first")
    check_equal(left(), MANY - 2 * COPIES, "of the second")
    client.close()


def test_other_logon(server):
    fill(server, "Logons", MANY)
    client = Session(server)
    folder = client.folder("Logons")
    check_equal(client.begin(EMPTY, [folder]), None, "begun")
    dn = client.raw.dn().encode() + b"\0"
    rops = client.execute(struct.pack(
        "<BBBBIIH", 0xFE, 7, 0, 1, 0x0100000C, 0, len(dn)) + dn, [NONE])
    check_equal(struct.unpack_from("<BBI", rops), (0xFE, 0, 0), "RopLogon")
    check_equal(client.finish(EMPTY, [folder]), (DONE, 2), "ended")
    client.close()


def test_release(server):
    fill(server, "Release", MANY)
    append_many(server, "Released", [])
    client = Session(server)
    folder, other = client.folder("Release"), client.folder("Released")
    mids = client.mids(client.table(folder))
    release = bytes([ROP_RELEASE, 0, 1])
    check_equal(client.begin(MOVE_COPY, [folder, other], mids), None, "begun")
    check_equal(client.progress(MOVE_COPY, [folder, client.inbox],
                                before=release), None,
                "something else is released")
    check_equal(client.progress(MOVE_COPY, [folder, other], before=release),
                PARTIAL, "the destination is released")
    check_equal(count_messages(server, "Released"), 2 * COPIES, "moved")
    check_equal(count_messages(server, "Release"), MANY - 2 * COPIES, "left")
    # who sends more in the same buffer doesn't wait for progress
    fill(server, "Followed", COPIES + 1)
    folder = client.folder("Followed")
    check_equal(client.begin(EMPTY, [folder], more=bytes([ROP_RELEASE, 0, 0])),
                DONE, "released at once")
    check_equal(count_messages(server, "Followed"), 0, "messages")
    client.close()


def test_disconnected(server):
    """Who goes away leaves what hasn't been done."""
    fill(server, "Gone", MANY)
    client = Session(server)
    folder = client.folder("Gone")
    mids = client.mids(client.table(folder))
    check_equal(client.begin(DELETE, [folder], mids), None, "begun")
    check_equal(client.raw.request("Disconnect", bytes(4)).code, 0,
                "Disconnect")
    client.close()
    client = Session(server)
    client.no_operation(client.logon)
    folder = client.folder("Gone")
    check_equal(client.mids(client.table(folder)), mids[COPIES:], "left")
    # by another session meanwhile
    check_equal(client.begin(DELETE, [folder], mids[COPIES:]), None, "begun")
    with readlib.imap_session(server) as imap:
        imap_ok(imap.delete("Gone"))
    check_equal(client.progress(DELETE, [folder])[1], 1, "the folder is gone")
    client.close()


readlib.main()
