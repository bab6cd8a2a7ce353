#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: write-plugins.conf
# timeout: 200
"""The administrator's plugins decide what becomes of changes by MAPI clients:
rights, quota, keeping what was deleted. What isn't done is said, and nothing is
half done."""

import readlib
import savelib
from readlib import check_equal
from savelib import (
    ATTACH_DATA, BODY, FLAG_STATUS, MID, SAVE_READ_WRITE, SUBJECT, Session)
from writelib import (
    HARD_DELETE, READ, Client, append_many, mail, state, subjects)

EC_ACCESS_DENIED, EC_QUOTA_EXCEEDED = 0x80070005, 0x4D9


def set_rights(server, mailbox, *rights):
    server.doveadm("acl", "set", "-u", server.users[0], mailbox, "owner",
                   *rights)


def test_rights(server):
    append_many(server, "Guarded", [mail(f"guarded {i}") for i in range(3)])
    append_many(server, "Other", [mail("other")])

    # May mark as read; may neither put anything into it nor take it out. A
    # process asks for rights every half minute only.
    set_rights(server, "Guarded", "lookup", "read", "write-seen")
    client = Client(server)
    other = client.folder("Other")
    other_mids = client.mids(client.table(other))
    folder = client.folder("Guarded")
    mids = client.mids(client.table(folder))
    check_equal(client.set_read(mids[:2], folder=folder), (0, 0), "mark")
    check_equal(client.delete(mids, folder)[0], EC_ACCESS_DENIED, "delete")
    check_equal(client.delete(mids, folder, HARD_DELETE)[0], EC_ACCESS_DENIED,
                "hard delete")
    check_equal(client.move(mids, folder, other)[0], EC_ACCESS_DENIED, "move")
    check_equal(client.move(other_mids, other, folder)[0], EC_ACCESS_DENIED,
                "move into it")
    check_equal(client.move(mids[:1], folder, other, copy=1), (0, 0), "copy")
    check_equal(subjects(server, "Other"), ["guarded 0", "other"], "Other")
    check_equal(list(state(server, "Guarded").values()),
                [{"\\Seen"}, {"\\Seen"}, set()], "Guarded")

    # may look at it only
    set_rights(server, "Guarded", "lookup", "read")
    client.close()
    client = Client(server)
    folder, other = client.folder("Guarded"), client.folder("Other")
    table = client.table(folder)
    before = client.rows(table)
    check_equal(client.set_read(mids, 5, folder=folder)[0], EC_ACCESS_DENIED,
                "mark")
    check_equal(client.delete(mids, folder)[0], EC_ACCESS_DENIED, "delete")
    check_equal(client.move(mids, folder, other)[0], EC_ACCESS_DENIED, "move")
    check_equal(client.move(other_mids, other, folder)[0], EC_ACCESS_DENIED,
                "copy into it")
    check_equal(client.rows(table), before, "rows")
    check_equal([row[2] & READ for row in before], [1, 1, 0], "read")
    check_equal(len(state(server, "Guarded")), 3, "messages")
    client.close()


def test_quota(server):
    append_many(server, "Full", [mail(f"full {i}", size=9000)
                                 for i in range(4)])
    append_many(server, "Fuller", [])
    client = Client(server)
    full, fuller = client.folder("Full"), client.folder("Fuller")
    mids = client.mids(client.table(full))
    check_equal(client.move(mids, full, fuller, copy=1)[0], EC_QUOTA_EXCEEDED,
                "copy")
    check_equal(state(server, "Fuller"), {}, "nothing is copied")
    # that needs no more space
    check_equal(client.move(mids, full, fuller), (0, 0), "move")
    check_equal(len(state(server, "Fuller")), 4, "moved")
    check_equal(len(state(server, "Full")), 0, "left")
    client.close()


def test_lazy_expunge(server):
    empty(server)
    append_many(server, "Keep", [mail(f"keep {i}") for i in range(2)])
    client = Client(server)
    folder = client.folder("Keep")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids, folder), (0, 0), "delete")
    check_equal(state(server, "Keep"), {}, "left")
    check_equal([s for s in subjects(server, "Expunged")
                 if s.startswith("keep")], ["keep 0", "keep 1"], "kept")
    client.close()


def empty(server):
    server.doveadm("expunge", "-u", server.users[0], "mailbox", "*", "all")


def result(func, *args):
    """ReturnValue"""
    try:
        func(*args)
    except savelib.Error as exc:
        return exc.code
    return 0


def changes(session, mid, folder, values):
    """What becomes of changing and saving a message"""
    handle = session.open_message(mid, folder)
    code = result(session.set, handle, values) or \
        result(session.save, handle)
    session.release(handle)
    return code


def test_save_rights(server):
    """Who may not change messages neither changes their properties nor replaces
    them; who may only not remove them doesn't add second ones."""
    empty(server)
    append_many(server, "Saving", [mail("saving")])
    bag, content = {0x6701001F: "bag"}, {BODY: "text\r\n"}
    rights = ("lookup", "read", "write-seen", "write", "write-deleted",
              "insert", "expunge")
    for missing, wanted in (
            ((), (0, 0, 0, 0)),
            (rights[2:], (EC_ACCESS_DENIED,) * 4),
            (("write",), (EC_ACCESS_DENIED,) * 3 + (0,)),
            (("expunge",), (0, 0, EC_ACCESS_DENIED, 0)),
            (("insert",), (0, 0) + (EC_ACCESS_DENIED,) * 2)):
        set_rights(server, "Saving", *(r for r in rights if r not in missing))
        session = Session(server)
        folder = session.folder_id("Saving")
        mid = [row[MID] for row in session.contents(folder, (MID, SUBJECT))
               if row[SUBJECT] == "saving"][0]
        got = [changes(session, mid, folder, values)
               for values in (bag, {FLAG_STATUS: 2}, content)]
        try:
            handle = session.create(folder)
        except savelib.Error as exc:
            got.append(exc.code)
        else:
            session.set(handle, {SUBJECT: "new"})
            got.append(result(session.save, handle))
        check_equal(tuple(got), wanted, f"without {missing}: bag, flag, "
                    "content, new message")
        check_equal(subjects(server, "Saving").count("saving"), 1,
                    "messages")
        session.close()


def test_save_quota(server):
    empty(server)
    session = Session(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "large", 0x6701001F: "bag"})
    # in the mail, in the bag
    for tag in (ATTACH_DATA, 0x67020102):
        obj = handle
        if tag == ATTACH_DATA:
            obj, num = session.create_attachment(handle)
            session.set(obj, {0x37050003: 1})
        session.write_stream(obj, tag, b"x" * 70000)
        if obj != handle:
            session.save_attachment(obj, handle)
        check_equal(result(session.save, handle), EC_QUOTA_EXCEEDED, "save")
        check_equal(state(server, "INBOX"), {}, "nothing is saved")
        if obj != handle:
            session.rop(savelib.DELETE_ATTACHMENT, num.to_bytes(4, "little"),
                        [handle])
        else:
            session.delete(handle, (tag,))
    # nothing is lost by that
    mid = session.save(handle, SAVE_READ_WRITE)
    session.set(handle, {BODY: "x" * 10000})
    check_equal(session.save(handle, SAVE_READ_WRITE), mid, "save again")
    stream, _ = session.open_stream(handle, BODY, savelib.CREATE)
    session.write(stream, ("y" * 70000).encode("utf-16le"))
    session.rop(savelib.COMMIT_STREAM, b"", [stream])
    check_equal(result(session.save, handle), EC_QUOTA_EXCEEDED, "save")
    session.close()
    session = Session(server)
    handle = session.open_message(mid)
    check_equal(session.get(handle, (SUBJECT, BODY, 0x6701001F))[0], {
        SUBJECT: "large", BODY: "x" * 10000, 0x6701001F: "bag"}, "what's there")
    check_equal(len(state(server, "INBOX")), 1, "messages")
    session.close()


readlib.main()
