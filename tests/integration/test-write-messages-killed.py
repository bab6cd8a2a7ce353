#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# may-log: mapi.*killed with signal 9
"""The worker dies while it saves: the message is what it was or what was to be
saved, there's one of it, and what was acknowledged is there."""

import http.client
import imaplib
import random
import struct
import subprocess
import threading

import readlib
import savelib
from readlib import TestFailure, check, check_equal, main
from savelib import BODY, MID, SAVE_READ_WRITE, SUBJECT, UID, Session
from writelib import clear, state

BAG = 0x6701001F
ROUNDS = 12
FAILURES = (TestFailure, ValueError, struct.error, OSError, IndexError,
            http.client.HTTPException, savelib.Error, imaplib.IMAP4.error,
            subprocess.CalledProcessError)


def change(session, mid, number, tags):
    handle = session.open_message(mid)
    for tag in tags:
        session.set(handle, {tag: f"{number}\r\n"})
    # until it's killed
    for _ in range(1000):
        yield session.save(handle, SAVE_READ_WRITE)
        number += 1
        session.set(handle, {tag: f"{number}\r\n" for tag in tags})


def remove_stray(server, session, mid):
    """A Maildir's GUIDs are in its dovecot-uidlist. A process that dies between the
    last two steps of Dovecot's own commit, moving the file and writing that list,
    leaves a message that nobody can tell from one that has been delivered. An mdbox
    that is rebuilt, as Dovecot does it if a process has died with its map half
    written, brings back mail that had been expunged."""
    if server.format == "sdbox" or (server.format == "mdbox" and
                                    "rebuilding indexes" not in
                                    server.log_text()):
        return
    for row in session.contents(session.inbox_id, (MID, UID)):
        if row[MID] != mid:
            print("     a second message is there")
            server.doveadm("expunge", "-u", server.users[0], "mailbox",
                           "INBOX", "uid", str(row[UID]))


def look(server, mid, tags):
    """What the message says. Dovecot repairs what it finds half written; a session
    that sees it has to begin anew."""
    for attempt in range(5):
        session = Session(server)
        try:
            remove_stray(server, session, mid)
            rows = session.contents(session.inbox_id, (MID, UID))
            check_equal([row[MID] for row in rows], [mid], "messages")
            values = session.get(session.open_message(mid), tags)[0]
            check_equal(sorted(state(server, "INBOX")), [rows[0][UID]],
                        "mail over IMAP")
            return [values[tag] for tag in tags]
        except FAILURES as exc:
            if attempt == 4:
                raise
            print(f"     {exc}")
        finally:
            session.close()


def killed(server, tags):
    readlib.in_the_end(server, lambda: clear(server), imaplib.IMAP4.error)
    session = Session(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "killed", BODY: "0\r\n", BAG: "0\r\n"})
    mid = session.save(handle)
    session.close()
    number, deaths = 0, 0
    for _ in range(ROUNDS):
        others = set(readlib.processes(server, "mapi"))
        session = Session(server)
        workers = set(readlib.processes(server, "mapi")) - others or None
        done = number
        thread = threading.Timer(random.uniform(0.0, 0.04),
                                 readlib.kill_workers, (server, workers))
        thread.start()
        try:
            for _ in change(session, mid, number + 1, tags):
                done += 1
        except FAILURES:
            deaths += 1
        thread.join()
        session.close()
        values = look(server, mid, tags)
        check_equal(len(set(values)), 1, "text and bag are of one save")
        number = int(values[0])
        check(number in (done, done + 1),
              f"{number} is there after {done} was acknowledged")
    check(deaths > ROUNDS // 2, f"only {deaths} deaths")


def test_content(server):
    killed(server, (BODY, BAG))


def test_bag(server):
    killed(server, (BAG,))


main()
