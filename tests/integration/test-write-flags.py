#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# may-log: mapi.*killed with signal 9
"""Read state, status, moving and deleting by a MAPI client, as IMAP sees it, and
as the client's own open tables do."""

import http.client
import imaplib
import random
import struct
import threading

import readlib
import rawmapi
from readlib import check, check_equal, imap_ok
from writelib import (
    CN, EC_DST_NULL_OBJECT, EC_NOT_FOUND, EC_OBJECT_DELETED, FLAGS,
    HARD_DELETE, MOVE_COPY, NONE, NOTIFY_READ, READ, SET_MESSAGE_READ_FLAG,
    Client, append_many, fetch_state, mail, state, subjects)


def test_read_flags(server):
    append_many(server, "INBOX", [mail(f"read {i}") for i in range(6)])
    client = Client(server)
    table = client.table(client.inbox)
    before = client.rows(table)
    check_equal(len(before), 6, "rows")
    mids = [row[0] for row in before]
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX", readonly=True))
        check_equal(client.set_read(mids[1:4]), (0, 0), "RopSetReadFlags")
        # who has it open is told
        imap_ok(imap.noop())
        check_equal(len(imap.response("FETCH")[1]), 3, "FETCH responses")
        check_equal([("\\Seen" in flags) for _, flags in
                     sorted(fetch_state(imap).items())],
                    [False, True, True, True, False, False], "over IMAP")
    after = client.rows(table)
    check_equal([row[2] & READ for row in after], [0, 1, 1, 1, 0, 0],
                "in the table that was open")
    check_equal([row[1] for row in after], [row[1] for row in before],
                "change numbers")
    # asynchronous execution is allowed, not demanded
    check_equal(client.set_read(mids[2:3], 5, wait=1), (0, 0), "mark as unread")
    check_equal([row[2] & READ for row in client.rows(table)],
                [0, 1, 0, 1, 0, 0], "after one was made unread")
    # another client's change does give new numbers
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.store("1,2", "+FLAGS", "(\\Flagged)"))
    changed = [now[1] != old[1] for now, old in
               zip(client.rows(table), before)]
    check_equal(changed, [True, True] + [False] * 4, "changed messages")
    check_equal(client.set_read(mids + [12345]), (0, 1), "an id that's none")
    check_equal(client.set_read([]), (0, 0), "no message")
    check_equal(client.set_read(mids, 0x14)[0], 0x80070057,
                "flags that exclude each other")
    client.close()


def test_state_is_durable(server):
    """A rebuild of the index doesn't lose it."""
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.store("1:*", "-FLAGS", "(\\Seen \\Flagged)"))
    client = Client(server)
    table = client.table(client.inbox)
    check_equal(client.set_read(client.mids(table)[::2]), (0, 0), "ReturnValue")
    client.close()
    before = state(server, "INBOX")
    server.doveadm("force-resync", "-u", server.users[0], "INBOX")
    check_equal(state(server, "INBOX"), before, "after force-resync")
    check_equal(sum("\\Seen" in flags for flags in before.values()), 3, "read")


def test_open_message(server):
    """Marks the message that is open: as Outlook does it."""
    client = Client(server)
    table = client.table(client.inbox)
    rows = client.rows(table)
    row = [row for row in rows if row[2] & READ == 0][0]
    error, msg = client.open_message(client.raw.logon_ids[4], row[0])
    check_equal(error, 0, "RopOpenMessage")

    def set_read(flags):
        answer = client.raw.execute(
            bytes([SET_MESSAGE_READ_FLAG, 0, 0, 1, flags]) + struct.pack(
                "<BBBHHHII", rawmapi.ROP_GET_PROPS, 0, 1, 0, 1, 2, FLAGS, CN),
            [client.inbox, msg])
        # no LogonId and ClientData: they'd be a public folder's
        check_equal(answer.rops[:7], bytes([SET_MESSAGE_READ_FLAG, 0]) +
                    bytes(5), "RopSetMessageReadFlag")
        check_equal(answer.rops[7:14], b"\x07\x01" + bytes(5),
                    "RopGetPropertiesSpecific")
        return struct.unpack_from("<IQ", answer.rops, 14)
    check_equal(set_read(0), (row[2] | 0x401, row[1]), "flags, change number")
    now = {r[0]: r for r in client.rows(table)}[row[0]]
    check_equal(now, (row[0], row[1], row[2] | 0x401, 0), "row")
    check_equal(set_read(5), row[2:0:-1], "flags, change number")
    check_equal(client.delete([row[0]]), (0, 0), "RopDeleteMessages")
    answer = client.raw.execute(
        bytes([SET_MESSAGE_READ_FLAG, 0, 0, 1, 0]), [client.inbox, msg])
    check_equal(answer.return_value(), EC_OBJECT_DELETED, "of one that's gone")
    client.close()


def test_receipts(server):
    append_many(server, "INBOX", [mail("receipt", receipt=True)])
    uid = max(state(server, "INBOX"))
    client = Client(server)
    table = client.table(client.inbox)
    row = client.rows(table)[-1]
    check_equal(row[2] & NOTIFY_READ, NOTIFY_READ, "mfNotifyRead")
    # it can't be sent, and that isn't kept from the client
    check_equal(client.set_read([row[0]], 0x10), (0, 1),
                "rfGenerateReceiptOnly")
    check_equal(client.set_read([row[0]], 0), (0, 0), "rfDefault")
    check_equal(state(server, "INBOX")[uid], {"\\Seen"}, "still pending")
    check_equal(client.set_read([row[0]], 5), (0, 0), "unread")
    check_equal(client.rows(table)[-1][2] & NOTIFY_READ, NOTIFY_READ,
                "still pending")
    check_equal(client.set_read([row[0]], 1), (0, 0), "rfSuppressReceipt")
    check_equal(state(server, "INBOX")[uid], {"\\Seen", "$MDNSent"},
                "cancelled")
    check_equal(client.rows(table)[-1][1], row[1], "change number")
    # messages that want none aren't given the keyword
    others = client.mids(table)[:-1]
    check_equal(client.set_read(others, 1), (0, 0), "rfSuppressReceipt")
    check_equal([uid for uid, flags in state(server, "INBOX").items()
                 if "$MDNSent" in flags], [uid], "messages with $MDNSent")
    client.close()


def test_status(server):
    client = Client(server)
    table = client.table(client.inbox)
    row = client.rows(table)[0]
    check_equal(client.status(row[0]), (0, 0), "status")
    check_equal(client.status(row[0], 0x1000, 0x3000), (0, 0), "set")
    check_equal(client.status(row[0], 0x2000, 0x2000), (0, 0x1000), "set")
    check_equal(client.status(row[0], 0, 0x1000), (0, 0x3000), "clear")
    check_equal(client.status(row[0]), (0, 0x2000), "status")
    now = client.rows(table)[0]
    check_equal(now, row[:3] + (0x2000,), "row")
    check_equal(client.status(1)[0], EC_NOT_FOUND, "status of none")
    client.close()


def test_move(server):
    append_many(server, "Target", [])
    append_many(server, "Moving", [mail(f"move {i}") for i in range(5)])
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("Moving"))
        imap_ok(imap.store("1", "+FLAGS", "(\\Flagged Red)"))
        imap_ok(imap.store("2", "+FLAGS", "(\\Seen)"))
    client = Client(server)
    src, dest = client.folder("Moving"), client.folder("Target")
    src_table, dest_table = client.table(src), client.table(dest)
    mids = client.mids(src_table)
    check_equal(client.rows(dest_table), [], "messages in Target")

    check_equal(client.move(mids[:2], src, dest, copy=1), (0, 0), "copy")
    check_equal(state(server, "Target"),
                {1: {"\\Flagged", "Red"}, 2: {"\\Seen"}}, "copies")
    check_equal(len(state(server, "Moving")), 5, "originals")
    check_equal(client.move(mids[:4], src, dest), (0, 0), "move")
    check_equal(subjects(server, "Moving"), ["move 4"], "left")
    check_equal(subjects(server, "Target"),
                [f"move {i}" for i in (0, 0, 1, 1, 2, 3)], "moved")
    check_equal(client.mids(src_table), mids[4:], "source's table")
    rows = client.rows(dest_table)
    check_equal(len(rows), 6, "rows of the destination's table")
    check(not set(mids) & {row[0] for row in rows}, "an id was used again")
    check_equal(len({row[0] for row in rows}), 6, "different ids")
    # what was moved a moment ago
    check_equal(client.set_read(mids[:2], folder=src), (0, 1), "mark moved ones")
    check_equal(client.delete(mids[:2], folder=src), (0, 1), "delete moved ones")
    check_equal(client.move(mids[:2], src, dest), (0, 1), "move moved ones")
    check_equal(len(state(server, "Target")), 6, "messages")
    # back
    check_equal(client.move([rows[0][0]], dest, src), (0, 0), "move back")
    check_equal(subjects(server, "Moving"), ["move 0", "move 4"], "moved back")

    answer = client.raw.execute(
        struct.pack("<BBBBHQBB", MOVE_COPY, 0, 0, 1, 1, mids[4], 0, 0),
        [src, NONE])
    check_equal(answer.rops, struct.pack("<BBIIB", MOVE_COPY, 0,
                                         EC_DST_NULL_OBJECT, 1, 0),
                "no destination")
    root = client.raw.open_folder(client.logon, client.raw.logon_ids[0])
    check_equal(client.move(mids[4:], src, root)[0], 0x80040102,
                "to a folder without messages")
    check_equal(subjects(server, "Moving"), ["move 0", "move 4"], "not moved")
    client.close()


def test_delete(server):
    append_many(server, "Deleting", [mail(f"delete {i}") for i in range(5)])
    client = Client(server)
    folder = client.folder("Deleting")
    table = client.table(folder)
    mids = client.mids(table)
    check_equal(client.delete(mids[:1], folder), (0, 0), "RopDeleteMessages")
    check_equal(client.delete(mids[:1], folder), (0, 1), "once more")
    check_equal(client.delete(mids[:1], folder, HARD_DELETE), (0, 0),
                "RopHardDeleteMessages of one that's soft deleted")
    check_equal(client.delete(mids[:2], folder, HARD_DELETE), (0, 1),
                "RopHardDeleteMessages of one and one that's gone")
    check_equal(subjects(server, "Deleting"),
                ["delete 2", "delete 3", "delete 4"], "left")
    check_equal(client.mids(table), mids[2:], "table")
    check_equal(client.delete([1, 2, 3], folder), (0, 1), "ids that are none")
    check_equal(client.delete([], folder), (0, 0), "nothing")
    check_equal(client.delete(mids[2:], folder, HARD_DELETE), (0, 0), "all")
    check_equal(state(server, "Deleting"), {}, "left")
    client.close()


def test_others_at_once(server):
    """IMAP changes the same messages at the same time: everybody's changes are
    there in the end."""
    append_many(server, "Busy", [mail(f"busy {i}") for i in range(40)])
    client = Client(server)
    folder = client.folder("Busy")
    table = client.table(folder)
    mids = client.mids(table)

    def by_imap():
        with readlib.imap_session(server) as imap:
            imap_ok(imap.select("Busy"))
            for i in range(1, 41):
                imap_ok(imap.store(str(i), "+FLAGS", "(\\Flagged)"))
    before = {row[0]: row[1] for row in client.rows(table)}
    thread = threading.Thread(target=by_imap)
    thread.start()
    for mid in mids:
        check_equal(client.set_read([mid], folder=folder), (0, 0), "mark")
    thread.join()
    check_equal([flags for flags in state(server, "Busy").values()
                 if flags != {"\\Seen", "\\Flagged"}], [], "lost changes")
    check_equal([row for row in client.rows(table)
                 if row[1] == before[row[0]]], [],
                "flagged messages with the old change number")
    client.close()


def subjects_in_the_end(server, *mailboxes):
    """Dovecot repairs what it finds half written; a session that sees it has to
    begin anew."""
    for _ in range(5):
        try:
            return sum((subjects(server, box) for box in mailboxes), [])
        except imaplib.IMAP4.abort as exc:
            print(f"     {exc}")
    return sum((subjects(server, box) for box in mailboxes), [])


def open_in_the_end(server, *names):
    """A session with folders and the ids of what is in the first one. As above:
    a table whose mailbox is repaired meanwhile fails."""
    for attempt in range(5):
        client = Client(server)
        try:
            folders = [client.folder(name) for name in names]
            return client, folders, client.mids(client.table(folders[0]))
        except readlib.TestFailure as exc:
            client.close()
            if attempt == 4:
                raise
            print(f"     {exc}")


def test_killed_while_moving(server):
    """Whenever the worker dies, each message is in one folder at least."""
    names = sorted(f"kill {i:03}" for i in range(150))
    append_many(server, "Kill A", [mail(n, size=2000) for n in names])
    append_many(server, "Kill B", [])
    for attempt in range(1, 7):
        boxes = ("Kill A", "Kill B") if attempt % 2 else ("Kill B", "Kill A")
        client, (src, dest), mids = open_in_the_end(server, *boxes)
        check(readlib.processes(server, "mapi"), "no worker")
        thread = threading.Timer(random.uniform(0.0, 0.03),
                                 readlib.kill_workers, (server,))
        thread.start()
        try:
            client.move(mids, src, dest)
        except (readlib.TestFailure, ValueError, struct.error, OSError,
                IndexError, http.client.HTTPException):
            pass
        thread.join()
        client.close()
        there = subjects_in_the_end(server, "Kill A", "Kill B")
        check_equal(sorted(set(there)), names, f"after kill {attempt}")
    server.doveadm("force-resync", "-u", server.users[0], "Kill *")
    there = subjects_in_the_end(server, "Kill A", "Kill B")
    check_equal(sorted(set(there)), names, "after force-resync")


readlib.main()
