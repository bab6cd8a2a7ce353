#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: write-plugins.conf
# timeout: 200
"""The administrator's plugins decide what becomes of changes by MAPI clients:
rights, quota, keeping what was deleted. What isn't done is said, and nothing is
half done."""

import readlib
from readlib import check_equal
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
    append_many(server, "Keep", [mail(f"keep {i}") for i in range(2)])
    client = Client(server)
    folder = client.folder("Keep")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids, folder), (0, 0), "delete")
    check_equal(state(server, "Keep"), {}, "left")
    check_equal([s for s in subjects(server, "Expunged")
                 if s.startswith("keep")], ["keep 0", "keep 1"], "kept")
    client.close()


readlib.main()
