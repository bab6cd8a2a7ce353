#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# may-log: service.mapi.: child [0-9]+ killed with signal 9
"""Folders that Outlook makes, renames, moves, copies and deletes: what IMAP sees
of it, which ids stay, what is refused, and what is left if a worker dies."""

import http.client
import random
import struct
import threading
import time

import rawmapi
from folderlib import Client, DEL_FOLDERS, DEL_MESSAGES, DELETE_HARD, \
    DELETED_ITEMS, EC_ACCESS_DENIED, EC_COMPUTED, EC_DST_NULL_OBJECT, \
    EC_DUPLICATE_NAME, EC_FOLDER_CYCLE, FINDER, INBOX, \
    PIDTAG_CONTAINER_CLASS8, PIDTAG_CONTENT_COUNT, PIDTAG_DISPLAY_NAME, \
    ROOT, ROP_HARD_EMPTY, ROP_MOVE, fids, imap_count, imap_names, mids, session, \
    utf16
from readlib import append, check, check_equal, imap_ok, imap_session, \
    kill_workers, main, TestFailure

MESSAGE = b"From: a@example.net\r\nSubject: %d\r\n\r\nx\r\n"


def test_create(server):
    with session(server) as client:
        table = client.hierarchy(client.top)
        before = client.names(table)
        handle, fid = client.made(client.top, "Gr\u00fc\u00dfe \u20ac",
                                  comment="Why")
        sub, _ = client.made(handle, "Sub")
        check(sub != handle, "handles")
        # a table that was open before
        check_equal(set(client.names(table)) - set(before),
                    {"Gr\u00fc\u00dfe \u20ac"}, "new in the table")
        wanted = {"Gr\u00fc\u00dfe \u20ac", "Gr\u00fc\u00dfe \u20ac/Sub"}
        check(wanted <= imap_names(server), "LIST")
        check(wanted <= imap_names(server, "lsub"), "LSUB")

        check_equal(client.create(client.top, "gr\u00fc\u00dfe \u20ac")[0],
                    EC_DUPLICATE_NAME, "the same name")
        check_equal(client.made(client.top, "Gr\u00fc\u00dfe \u20ac",
                                open_existing=1)[1], fid, "OpenExisting")
        check_equal(client.made(client.top, "Deleted Items",
                                open_existing=1)[1],
                    client.special(DELETED_ITEMS), "OpenExisting, special")
        # in the code page of the session
        client.made(client.top, "", encoded=b"\x80uro\0\0")
        check("\u20acuro" in imap_names(server), "8-bit name")
    check_equal("Gr\u00fc\u00dfe \u20ac" in fids(server), True, "next session")


def test_create_errors(server):
    before = imap_names(server)
    with session(server) as client:
        for name in ("", "x" * 256, "\ud83d", "\ude00x", "x" * 5000):
            check_equal(client.create(client.top, name)[0],
                        rawmapi.EC_INVALID_PARAMETER, repr(name[:20]))
        for kind, error in ((0, rawmapi.EC_INVALID_PARAMETER),
                            (3, rawmapi.EC_INVALID_PARAMETER),
                            (255, rawmapi.EC_INVALID_PARAMETER)):
            check_equal(client.create(client.top, "x", kind=kind)[0], error,
                        f"FolderType {kind}")
        check_equal(client.create(client.logon, "x")[0],
                    rawmapi.EC_NOT_SUPPORTED, "on a logon")
        check_equal(client.create(client.top, "mapi-internal")[0],
                    EC_DUPLICATE_NAME, "reserved name")
    check_equal(imap_names(server), before, "mailboxes")


def test_odd_names(server):
    """Names that mailboxes can't have"""
    names = ("a/b", "a-b", "x\ty", "~", "..", "v1.2", "\ufffd",
             "\u00fc" * 200)
    with session(server) as client:
        top, _ = client.made(client.top, "Odd/names")
        made = {name: client.made(top, name)[1] for name in names}
        check_equal(client.create(top, "A/B")[0], EC_DUPLICATE_NAME,
                    "the same name")
        _, again = client.made(top, "a/b", open_existing=1)
        check_equal(again, made["a/b"], "OpenExisting")
    listed = imap_names(server)
    check({"Odd-names", "Odd-names/a-b", "Odd-names/a-b (2)", "Odd-names/-"} <=
          listed, f"LIST: {listed}")
    with session(server) as client:
        top, _ = client.made(client.top, "Odd/names", open_existing=1)
        check_equal(sorted(client.names(client.hierarchy(top))),
                    sorted(names), "names")
        with imap_session(server) as imap:
            check_equal(imap.rename("Odd-names/a-b", "Odd-names/even")[0],
                        "OK", "RENAME")
        check_equal(sorted(client.names(client.hierarchy(top))),
                    sorted(set(names) - {"a/b"} | {"even"}), "names")


def test_below_root(server):
    """Folders that IMAP clients don't see"""
    with session(server) as client:
        before = imap_names(server)
        root = client.open(client.special(ROOT))
        handle, fid = client.made(root, "Reminders/To-Do")
        sub, sub_fid = client.made(handle, "Sub")
        check_equal(client.set_props(handle, [
            (PIDTAG_CONTAINER_CLASS8, b"Outlook.Reminder\0")]), (0, []),
            "RopSetProperties")
        check("Reminders/To-Do" in client.names(client.hierarchy(root)),
              "table")
        new = {name for name in imap_names(server) - before
               if not name.startswith("mapi-internal")}
        check_equal(new, set(), "LIST")
        finder = client.open(client.special(FINDER))
        check_equal(client.move(handle, finder, sub_fid, "Moved"), (0, 0),
                    "RopMoveFolder")
        check_equal(client.move(finder, client.top, sub_fid, "Moved"),
                    (EC_ACCESS_DENIED, 0), "RopMoveFolder, into the mailboxes")
    with session(server) as client:
        root = client.open(client.special(ROOT))
        again, again_fid = client.made(root, "Reminders/To-Do",
                                       open_existing=1)
        check_equal(again_fid, fid, "folder id")
        check_equal(client.get_prop(again, 0x3613001F),
                    utf16("Outlook.Reminder"), "class")
        check_equal(client.get_prop(client.open(sub_fid),
                                    PIDTAG_DISPLAY_NAME), utf16("Moved"),
                    "name")
        check_equal(client.delete(root, fid, DEL_FOLDERS), (0, 0),
                    "RopDeleteFolder")
        check("Reminders/To-Do" not in client.names(client.hierarchy(root)),
              "table")


def test_rename(server):
    for i in range(3):
        append(server, "Old", MESSAGE % i)
    before = mids(server, "Old")
    with session(server) as client:
        names = fids(server)
        handle, fid = client.made(client.top, "Old", open_existing=1)
        table = client.raw.contents_table(handle)
        check_equal(client.set_props(handle, [
            (PIDTAG_DISPLAY_NAME, utf16("New")),
            (PIDTAG_CONTAINER_CLASS8, b"IPF.Task\0"),
            (PIDTAG_CONTENT_COUNT, b"\1\0\0\0")]),
            (0, [(2, PIDTAG_CONTENT_COUNT, EC_COMPUTED)]), "RopSetProperties")
        check("New" in imap_names(server) - {"Old"}, "LIST")
        check("Old" not in imap_names(server), "LIST: old name")
        # an open table goes on
        answer = client.rop(
            struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 1,
                        0x674A0014) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 50),
            [table])
        check_equal(struct.unpack_from("<H", answer.rops, 14)[0], 3, "rows")
        check_equal(client.set_props(handle, [
            (PIDTAG_DISPLAY_NAME, utf16("trash"))])[0], EC_DUPLICATE_NAME,
            "taken name")
        # Outlook does it in the user's language; the mailbox keeps its name
        inbox = client.open(client.special(INBOX))
        check_equal(client.set_props(inbox, [
            (PIDTAG_DISPLAY_NAME, utf16("Post"))]), (0, []), "special folder")
        check_equal(client.get_prop(inbox, PIDTAG_DISPLAY_NAME),
                    utf16("Post"), "special folder")
        check("Post" not in imap_names(server), "LIST")
        check_equal(client.set_props(inbox, [
            (PIDTAG_DISPLAY_NAME, utf16("Inbox"))]), (0, []), "back")
    after = fids(server)
    check_equal(after["New"], names["Old"], "folder id")
    check_equal(mids(server, "New"), before, "message ids")


def test_move(server):
    append(server, "Box/Inner", MESSAGE % 1)
    append(server, "Box/Inner", MESSAGE % 2)
    with imap_session(server) as imap:
        imap.create("Box")
        imap_ok(imap.subscribe("Box/Inner"))
    with session(server) as client:
        before = fids(server)
        messages = mids(server, "Box/Inner")
        box, box_id = client.made(client.top, "Box", open_existing=1)
        inner, inner_id = client.made(box, "Inner", open_existing=1)
        trash = client.open(client.special(DELETED_ITEMS))
        table = client.hierarchy(client.top)
        check("Box" in client.names(table), "before")
        check_equal(client.move(client.top, trash, box_id, "Box"), (0, 0),
                    "RopMoveFolder")
        check("Box" not in client.names(table), "table")
        check({"Trash/Box", "Trash/Box/Inner"} <= imap_names(server), "LIST")
        check("Trash/Box/Inner" in imap_names(server, "lsub"), "LSUB")
        check("Box/Inner" not in imap_names(server, "lsub"), "LSUB: old")
        check_equal(imap_count(server, "Trash/Box/Inner"), 2, "messages")
        # and back, with another name
        check_equal(client.move(trash, client.top, box_id, "Box2"), (0, 0),
                    "RopMoveFolder")
        after = fids(server)
        check_equal((after["Box2"], after["Inner"]),
                    (before["Box"], before["Inner"]), "folder ids")
        check_equal(mids(server, "Box2/Inner"), messages, "message ids")

        check_equal(client.move(client.top, inner, box_id, "x"),
                    (EC_FOLDER_CYCLE, 0), "loop")
        check_equal(client.move(box, client.top, inner_id, "New"),
                    (EC_DUPLICATE_NAME, 0), "taken name")
        check_equal(client.move(client.top, box, client.special(INBOX), ""),
                    (EC_ACCESS_DENIED, 0), "Inbox")
        check_equal(client.move(client.top, box, b"\5\0" + b"\xee" * 6, "x"),
                    (rawmapi.EC_NOT_FOUND, 0), "unknown id")
        check_equal(client.move(client.top, table, box_id, "x"),
                    (rawmapi.EC_NOT_SUPPORTED, 0), "a table as destination")
        answer = client.rop(struct.pack(
            "<BBBBBB", ROP_MOVE, 0, 0, 1, 0, 1) + box_id + utf16("x"),
            [client.top, 0xffffffff])
        check_equal(answer.rops, struct.pack(
            "<BBIIB", ROP_MOVE, 0, EC_DST_NULL_OBJECT, 1, 0), "no destination")


def test_copy(server):
    append(server, "Source", MESSAGE % 1, flags="\\Seen \\Flagged")
    append(server, "Source/Deep/Deeper", MESSAGE % 2)
    with session(server) as client:
        _, source = client.made(client.top, "Source", open_existing=1)
        inbox = client.open(client.special(INBOX))
        check_equal(client.copy(client.top, inbox, source, "Copy"), (0, 0),
                    "RopCopyFolder")
        names = imap_names(server)
        wanted = {"INBOX/Copy", "INBOX/Copy/Deep", "INBOX/Copy/Deep/Deeper"}
        check(wanted <= names, "LIST")
        check(wanted <= imap_names(server, "lsub"), "LSUB")
        check(not [n for n in names if "copy-" in n], "what it was made in")
        check_equal((imap_count(server, "Source"),
                     imap_count(server, "INBOX/Copy"),
                     imap_count(server, "INBOX/Copy/Deep/Deeper")), (1, 1, 1),
                    "messages")
        with imap_session(server) as imap:
            imap_ok(imap.select("INBOX/Copy"))
            flags = imap_ok(imap.fetch("1", "(FLAGS)"))[0]
        check(b"\\Seen" in flags and b"\\Flagged" in flags, "flags")
        check_equal(client.copy(client.top, client.top, source, "Flat",
                                recursive=0), (0, 0), "not recursive")
        check("Flat/Deep" not in imap_names(server), "not recursive")
        check_equal(client.copy(client.top, client.top, source, "source"),
                    (EC_DUPLICATE_NAME, 0), "taken name")


def test_delete(server):
    append(server, "Gone/Sub", MESSAGE % 1)
    with session(server) as client:
        gone, fid = client.made(client.top, "Gone", open_existing=1)
        _, sub = client.made(gone, "Sub", open_existing=1)
        for flags, what in ((0, fid), (DEL_MESSAGES, fid), (DEL_FOLDERS, fid),
                            (0, sub), (DEL_FOLDERS | DELETE_HARD, sub)):
            check_equal(client.delete(client.top, what, flags), (0, 1),
                        f"flags {flags}")
        check_equal(imap_count(server, "Gone/Sub"), 1, "still there")
        check_equal(client.delete(client.top, fid, 0x20),
                    (rawmapi.EC_INVALID_PARAMETER, 0), "unknown flag")
        check_equal(client.delete(client.top, fid, DEL_MESSAGES |
                                  DEL_FOLDERS | DELETE_HARD), (0, 0), "all")
        check(not {"Gone", "Gone/Sub"} & imap_names(server), "LIST")
        check(not {"Gone", "Gone/Sub"} & imap_names(server, "lsub"), "LSUB")
        check_equal(client.delete(client.top, fid, 5),
                    (rawmapi.EC_NOT_FOUND, 0), "again")
        for i, special in enumerate(client.raw.logon_ids):
            check_equal(client.delete(client.top, special, 5),
                        (EC_ACCESS_DENIED if i > 0 else
                         rawmapi.EC_NOT_SUPPORTED, 0), f"special folder {i}")
        check(client.made(client.top, "Gone")[1] != fid, "a new id")


def test_empty(server):
    for i in range(5):
        append(server, "Trash", MESSAGE % i)
    append(server, "Trash/Thrown away", MESSAGE % 9)
    with session(server) as client:
        trash = client.open(client.special(DELETED_ITEMS))
        check_equal(client.empty(trash), (0, 0), "RopEmptyFolder")
        check_equal(imap_count(server, "Trash"), 0, "messages")
        check("Trash/Thrown away" not in imap_names(server), "LIST")
        append(server, "Trash", MESSAGE % 1)
        check_equal(client.empty(trash, ROP_HARD_EMPTY, 1), (0, 0),
                    "RopHardDeleteMessagesAndSubfolders")
        check_equal(imap_count(server, "Trash"), 0, "messages")
        check_equal(client.empty(client.top), (rawmapi.EC_NOT_SUPPORTED, 0),
                    "IPM subtree")


def test_killed(server):
    """A worker that is killed at any moment."""
    with session(server) as client:
        big, _ = client.made(client.top, "Big")
        client.made(big, "Below")
    with imap_session(server) as imap:
        for i in range(60):
            for name in ("Big", "Big/Below"):
                imap_ok(imap.append(name, None, None, MESSAGE % i))
    # how long it takes, to hit all of it
    with session(server) as client:
        _, fid = client.made(client.top, "Big", open_existing=1)
        start = time.monotonic()
        check_equal(client.copy(client.top, client.top, fid, "Unharmed"),
                    (0, 0), "RopCopyFolder")
        duration = time.monotonic() - start
    check_equal(imap_count(server, "Unharmed/Below"), 60, "copied")
    rand = random.Random(4)
    for i in range(12):
        client = Client(server)
        _, fid = client.made(client.top, "Big", open_existing=1)
        killer = threading.Timer(rand.uniform(0, 2.5) * duration, kill_workers,
                                 (server,))
        killer.start()
        acknowledged = []
        try:
            for j in range(100):
                name = f"Killed {i} {j}"
                if client.copy(client.top, client.top, fid, name)[0] == 0:
                    acknowledged.append(name)
        except (OSError, http.client.HTTPException, TestFailure):
            pass  # there's no answer, or one that the session is gone
        killer.join()
        client.close()
        listed = imap_names(server)
        subscribed = imap_names(server, "lsub")
        copies = {n for n in listed if n.startswith(f"Killed {i} ")}
        check(set(acknowledged) <= copies, "acknowledged")
        for name in copies:
            check_equal(imap_count(server, name), 60, name)
            check(name in subscribed, f"{name}: not subscribed")
            # Maildir++ has no single step in which subfolders follow
            if server.format != "maildir" and "/" not in name:
                check(f"{name}/Below" in copies, f"{name}: half a copy")
        fids(server)


if __name__ == "__main__":
    main()
