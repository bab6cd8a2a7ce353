#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
# may-log: killed with signal 9
"""The address book over HTTP: sessions, the hierarchy, rows, names, and what
happens to them when the directory or a process goes."""

import os
import signal
import struct
import time

from nspilib import CONTEXT_NOT_FOUND, INVALID_BODY, Book, status
from readlib import check, check_equal, main, processes, wait_for


def test_bind(server):
    book, other = Book(server), Book(server, user=server.users[1])
    first, second = book.bind(), other.bind()
    check_equal(first, second, "ServerGuid")
    check(first != bytes(16), "ServerGuid is null")
    answer = book.request("Unbind", struct.pack("<II", 0, 0))
    check_equal(answer.code, 0, "Unbind")
    check_equal(struct.unpack_from("<II", answer.body), (0, 1), "Unbind")


def test_needs_context(server):
    book = Book(server)
    book.cookies = {"MapiContext": "00" * 32, "MapiSequence": "1"}
    answer = book.request("QueryColumns", struct.pack("<III", 0, 0, 0))
    check_equal(answer.code, CONTEXT_NOT_FOUND, "an unknown cookie")


def test_rows(server):
    book = Book(server)
    book.bind()
    error, state, rows = book.rows(100)
    check_equal(error, 0, "QueryRows")
    names = [row[0] for row in rows]
    check_equal(len(names), 21, "rows of the global address list")
    check("Hidden Person" not in names, "somebody hidden is listed")
    check_equal(names[0], "Alice Adams", "the first")
    check(names.index("Émile Dubois") < names.index("Erika Müller"),
          f"accents are sorted by code: {names}")
    # in small steps they are the same
    steps, current = [], 0
    while True:
        error, state, rows = book.rows(4, current=current)
        check(len(rows) <= 4, "more rows than asked for")
        steps += [row[0] for row in rows]
        current = state[2]
        if len(rows) < 4:
            break
    check_equal(steps, names, "rows in steps of four")


def test_resolve(server):
    book = Book(server)
    book.bind()
    mids, rows = book.resolve("alice", "smith", "nobody", "", "=SMTP:SALES@example.org",
                              "mueller", "muller", "oberg zoe")
    check_equal(mids, [2, 1, 0, 0, 2, 0, 2, 2], "MinimalIds")
    check_equal([row[0] for row in rows],
                ["Alice Adams", "Alice Adams", "Erika Müller", "Zoë Öberg"],
                "names")
    check_equal(rows[0][1], "alice@example.org", "address")
    # what a filter would take for its own is a name like any other
    mids, _ = book.resolve("*", "a*)(uid=*", "\\2a", "(", "\0"[:0])
    check_equal(mids, [0] * 5, "metacharacters")


def test_bad_input(server):
    book = Book(server)
    book.bind()
    for body in (b"", b"\0", b"\xff" * 50, struct.pack("<IB", 0, 1) + b"x" * 10,
                 struct.pack("<IBII", 0, 0, 0xffffffff, 0)):
        answer = book.request("QueryRows", body)
        check_equal(answer.code, INVALID_BODY, f"{len(body)} bytes")
    for current in (0x7fffffff, 0xffffffff, 15, 3):
        error, _, _ = book.rows(5, current=current)
        check(error != 0, f"QueryRows at MId {current:#x} succeeded")
    error, _, _ = book.rows(5, container=0x12345)
    check(error != 0, "an unknown container has rows")
    check_equal(book.rows(1)[0], 0, "the session goes on")


def edit(server, old, new):
    path = server.env["ADDRESSBOOK_LDIF"]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    check(old in text, f"{old!r} isn't in the directory")
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    os.replace(path + ".new", path)


def test_changes(server):
    book = Book(server)
    guid = book.bind()
    check_equal(book.resolve("Engineers")[0], [2], "before")
    edit(server, "cn: Engineers", "cn: Inventors")
    wait_for("the new name",
             lambda: book.resolve("Inventors", "Engineers")[0] == [2, 2])
    check_equal(book.resolve("Inventors")[1][0][0], "Inventors", "after")
    # a broken file changes nothing
    edit(server, "dn: cn=engineers", "nonsense\ndn: cn=engineers")
    wait_for("the error", lambda: "isn't 'attribute: value'" in
             server.log_text())
    check_equal(book.resolve("Inventors")[0], [2], "with a broken file")
    edit(server, "nonsense\ndn: cn=engineers", "dn: cn=engineers")
    check_equal(Book(server).bind(), guid, "ServerGuid after changes")


def test_processes_killed(server):
    book = Book(server)
    guid = book.bind()
    for pid in processes(server, "mapi-addressbook"):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    answer = book.request("QueryColumns", struct.pack("<III", 0, 0, 0))
    check_equal(answer.code, CONTEXT_NOT_FOUND, "session of a dead process")
    book = Book(server)
    check_equal(book.bind(), guid, "ServerGuid of another process")
    before = status(server).split("\t")[1]
    for pid in processes(server, "mapi-directory"):
        os.kill(pid, signal.SIGKILL)
    check_equal(book.resolve("alice")[0], [2], "without mapi-directory")
    wait_for("mapi-directory", lambda: processes(server, "mapi-directory"))
    check_equal(status(server).split("\t")[1], before, "objects")
    check_equal(Book(server).bind(), guid, "ServerGuid after a restart")


if __name__ == "__main__":
    main()
