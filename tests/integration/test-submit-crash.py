#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# may-log: killed with signal 9
"""A process dies while it sends: nothing is lost, nothing is sent twice without
somebody wanting it, and everybody can see how far it came."""

import contextlib
import glob
import http.client
import os
import threading

from readlib import (
    check, check_equal, imap_session, kill_workers, main, wait_for)
from submitlib import (
    BODY, Client, DELETE_AFTER_SUBMIT, EC_NOT_IN_QUEUE, EC_SUBMITTED,
    EC_UNABLE_TO_ABORT, OUTBOX, SENT_MAIL_ENTRY_ID, SUBJECT, SUBMITTED,
    SUBMIT_FLAGS, TO, UNSENT, by_subject, sendmail, smtp_server)

OTHER = "other@example.net"
GONE = (OSError, http.client.HTTPException, ValueError, IndexError)


def submit_and_die(client, msg):
    """The worker dies: there's no answer, or an error that isn't ours."""
    with contextlib.suppress(*GONE):
        answer = client.raw.execute(b"\x32\0\0\0", [msg])
        check(answer.code != 0 or answer.error, "the worker is alive")
    client.close()


def outbox_mailbox(server, user):
    """The mailbox that IMAP clients don't see"""
    with imap_session(server, user) as imap:
        names = server.doveadm("mailbox", "list", "-u", user,
                               "mapi-internal/folder-*").split()
    found = [name for name in names if server.doveadm(
        "fetch", "-u", user, "uid", "mailbox", name, "all").strip()]
    check_equal(len(found), 1, f"mailboxes with messages of {names}")
    return found[0]


def check_pending(server, subject):
    """A new session sees that it may have been sent. Returns it, and the id."""
    client = Client(server)
    mid, flags = client.rows()[subject]
    check_equal(flags & (SUBMITTED | UNSENT), SUBMITTED | UNSENT, "flags")
    server.wait_logged("the doubt", r"msgid=<\w+@example.org>: "
                       "May have been sent or not")
    msg = client.open_message(mid)
    check_equal(client.prop_u32(msg, SUBMIT_FLAGS), 1, "PidTagSubmitFlags")
    check_equal(client.submit(msg), EC_SUBMITTED, "not a second time")
    check_equal(client.abort(mid), 0, "RopAbortSubmit")
    check_equal(client.abort(mid), EC_NOT_IN_QUEUE, "once more")
    check_equal(client.rows()[subject][1] & (SUBMITTED | UNSENT), UNSENT,
                "flags")
    return client, mid


def test_program(server):
    """Dead before sendmail has read anything: it gets the whole message, so
    it's good that it isn't sent again."""
    bob = server.users[1]
    client = Client(server)
    msg = client.create({SUBJECT: "program",
                         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                        [(TO, bob, "Bob")], save=False)
    # more than a pipe has room for
    body = "".join(f"Line {i} of many\r\n" for i in range(20000))
    client.set_stream(msg, BODY, body.encode("utf-16-le"))
    client.save(msg)
    real = os.path.join(server.dir, "bin", "sendmail.away")
    with sendmail(server, f"#!/bin/sh\nkill -9 $PPID\nsleep 0.3\n"
                  f"exec {real} \"$@\"\n"):
        submit_and_die(client, msg)
        wait_for("delivery", lambda: by_subject(server, "INBOX", "program",
                                                bob))
    got = by_subject(server, "INBOX", "program", bob)
    check_equal(got[0].get_content().count("of many"), 20000, "lines")
    client, mid = check_pending(server, "program")
    check_equal(client.submit(client.open_message(mid)), 0,
                "because the user wants it")
    check_equal(len(by_subject(server, "INBOX", "program", bob)), 2, "Bob's")
    check_equal(len(by_subject(server, "Sent", "program")), 1, "Sent")
    client.close()


def test_before_answer(server):
    """Dead when the mail server has all of it, but hasn't answered"""
    smtp = smtp_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "server", DELETE_AFTER_SUBMIT: 1},
                        [(TO, OTHER, "x")])
    smtp.arrived = lambda mail: kill_workers(server)
    submit_and_die(client, msg)
    smtp.arrived = lambda mail: None
    client, mid = check_pending(server, "server")
    check_equal(client.submit(client.open_message(mid)), 0,
                "because the user wants it")
    check("server" not in client.rows(), "it's still there")
    client.close()


def test_before_data(server):
    """Dead when the recipients are accepted"""
    smtp = smtp_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "early", DELETE_AFTER_SUBMIT: 1},
                        [(TO, OTHER, "x")])
    command = smtp.command

    def kill(stream, mail, word, line):
        if word == "DATA":
            kill_workers(server)
        return command(stream, mail, word, line)

    smtp.command = kill
    try:
        submit_and_die(client, msg)
    finally:
        del smtp.command
    check_equal(smtp.mails, [], "mails")
    client, mid = check_pending(server, "early")
    check_equal(client.submit(client.open_message(mid)), 0, "afterwards")
    check_equal(smtp.subjects(), ["early"], "mails")
    client.close()


def test_before_moving(server):
    """Dead after the mail server has accepted it: the next session moves or
    deletes it, and doesn't send it."""
    alice = server.users[0]
    smtp = smtp_server(server)
    for subject, copied, place in (
            ("to sent", False, SENT_MAIL_ENTRY_ID),
            ("in both", True, SENT_MAIL_ENTRY_ID),
            ("deleted", False, DELETE_AFTER_SUBMIT)):
        client = Client(server)
        client.create({SUBJECT: subject, place: 1 if place ==
                       DELETE_AFTER_SUBMIT else client.sent_entry_id()},
                      [(TO, OTHER, "x")])
        client.close()
        kill_workers(server)
        # As it was at that moment
        outbox = outbox_mailbox(server, alice)
        query = ["mailbox", outbox, "header", "subject", subject]
        server.doveadm("flags", "add", "-u", alice, "$Submitted", *query)
        if copied:
            server.doveadm("copy", "-u", alice, "Sent", *query)
        client = Client(server)
        check(subject not in client.rows(), f"{subject}: Outbox")
        check_equal(len(by_subject(server, "Sent", subject)),
                    0 if place == DELETE_AFTER_SUBMIT else 1,
                    f"{subject}: Sent")
        client.close()
    check_equal(smtp.mails, [], "mails")


def test_two_sessions(server):
    """The one waits for the other, and doesn't send it again."""
    smtp = smtp_server(server)
    first, second = Client(server), Client(server)
    msg = first.create({SUBJECT: "two", SENT_MAIL_ENTRY_ID:
                        first.sent_entry_id()}, [(TO, OTHER, "x")])
    mid = first.rows()["two"][0]
    other = second.open_message(mid)
    arrived, go_on = threading.Event(), threading.Event()

    def wait(_):
        arrived.set()
        go_on.wait(60)

    smtp.arrived = wait
    results = {}
    threads = [threading.Thread(target=lambda: results.update(
        first=first.submit(msg)))]
    threads[0].start()
    check(arrived.wait(60), "nothing arrived")
    third = Client(server)
    check_equal(third.rows()["two"][1] & SUBMITTED, SUBMITTED, "flags")
    check_equal(third.abort(mid), EC_UNABLE_TO_ABORT, "RopAbortSubmit")
    threads.append(threading.Thread(target=lambda: results.update(
        second=second.submit(other))))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(120)
    check_equal(results["first"], 0, "the first")
    check(results["second"] != 0, "the second")
    check_equal(smtp.subjects(), ["two"], "mails")
    check_equal(len(by_subject(server, "Sent", "two")), 1, "Sent")
    for client in (first, second, third):
        client.close()


def test_locks(server):
    """None is left."""
    client = Client(server)
    check_equal(glob.glob(f"{server.dir}/mail/**/*mapi-submit.lock",
                          recursive=True), [], "lock files")
    check_equal(client.rows(OUTBOX), {}, "Outbox")
    client.close()


if __name__ == "__main__":
    main()
