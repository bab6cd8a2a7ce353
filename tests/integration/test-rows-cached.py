#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
"""Rows of tables come from Dovecot's index and cache, also what only a bag says: they
are the same when there's no file any more, neither of a message nor of a bag."""

import glob
import os

import readlib
from readlib import check, check_equal
from savelib import BODY, MID, RTF, SUBJECT, Session

TEXT, NUMBER, LONG = 0x6701001F, 0x67020003, 0x67030102
COUNT = 20
WARM = 3


def files(server):
    return glob.glob(os.path.join(
        server.env["TEST_MAIL"], server.users[0], "sdbox", "mailboxes", "**",
        "u.*"), recursive=True)


def rows(server, tags=(SUBJECT, TEXT, NUMBER)):
    """What a new session's table says: {subject: the other values}"""
    session = Session(server)
    result = {row[SUBJECT]: [row.get(tag) for tag in tags[1:]]
              for row in session.contents(session.inbox_id, tags)}
    session.close()
    return result


class Hidden:
    """Without the files of messages and bags"""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.names = [name for name in files(self.server)
                      if "/INBOX/" in name or "/bags-" in name]
        check(len(self.names) > COUNT, "files of messages and bags")
        for name in self.names:
            os.rename(name, name.replace("/u.", "/hidden."))

    def __exit__(self, *args):
        for name in self.names:
            os.rename(name.replace("/u.", "/hidden."), name)


def check_cached(server, wanted):
    for _ in range(WARM):
        check_equal(rows(server), wanted, "rows")
    with Hidden(server):
        check_equal(rows(server), wanted, "rows without files")


def test_rows(server):
    session = Session(server)
    wanted = {}
    for i in range(COUNT):
        handle = session.create()
        wanted[f"Subject {i}"] = [f"text {i}" * 20, i]
        session.set(handle, {SUBJECT: f"Subject {i}", BODY: "body\r\n",
                             TEXT: f"text {i}" * 20, NUMBER: i})
        session.save(handle)
        session.release(handle)
    session.close()
    check_cached(server, wanted)


def test_changed(server):
    """The newest bag is in the cache."""
    session = Session(server)
    for row in session.contents(session.inbox_id, (MID, SUBJECT)):
        handle = session.open_message(row[MID], mode=1)
        session.set(handle, {TEXT: "changed"})
        session.save(handle)
        session.release(handle)
    session.close()
    wanted = {f"Subject {i}": ["changed", i] for i in range(COUNT)}
    check_cached(server, wanted)


def test_long(server):
    """Long bags and bodies are only in files."""
    session = Session(server)
    values = {TEXT: "of a long one", LONG: os.urandom(9000)}
    handle = session.create()
    session.set(handle, {SUBJECT: "long", **values})
    mid = session.save(handle)
    session.close()
    check_equal(rows(server)["long"][0], values[TEXT], "row")
    session = Session(server)
    handle = session.open_message(mid)
    check_equal(session.get_one(handle, LONG), values[LONG], "value")
    session.close()
    with Hidden(server):
        check_equal(rows(server)["long"][0], None, "row without files")


readlib.main()
