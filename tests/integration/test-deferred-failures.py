#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# may-log: killed with signal 9
"""Mail that was to be sent later, and can't be when it should: nothing is lost, nothing
is sent twice, and its sender knows."""

import os
import threading
import time

from deferredlib import (
    DEFERRED_DELIVERY_TIME, LATER, ONE, SOON, TWO, check_held, create, deferred,
    flags, kill_queue, mail_server, queue, queue_path, reports, wait_sent)
from readlib import check, check_equal, kill_workers, main, wait_for
from submitlib import (
    Client, EC_NOT_SUPPORTED, EC_SUBMITTED, EC_UNABLE_TO_ABORT, SUBMITTED, TO,
    UNSENT, addresses)


def submit(server, subject, secs=SOON, recipients=None):
    """... and go"""
    client = Client(server)
    check_equal(client.submit(create(client, subject, secs, recipients)), 0,
                "RopSubmitMessage")
    client.close()


def wait_unsubmitted(server, subject, wanted=UNSENT):
    """It's in the Outbox and isn't to be sent any more."""
    client = Client(server)
    wait_for(f"{subject}: flags", lambda: flags(client, subject) == wanted, 60)
    client.close()


def check_again(server, smtp, subject):
    """The user sends it now."""
    smtp.replies = {}
    client = Client(server)
    msg = client.open_message(client.rows()[subject][0])
    client.set_props(msg, {DEFERRED_DELIVERY_TIME: 5})
    check_equal(client.submit(msg), 0, "once more")
    wait_sent(server, smtp, subject)
    client.close()


def test_not_now(server):
    """It stays, and is tried again."""
    smtp = mail_server(server)
    for subject, fail in (
            ("sender", lambda: smtp.replies.update(MAIL="451 4.3.0 later")),
            ("recipient", lambda: smtp.replies.update({ONE: "450 4.2.1 no"})),
            ("message", lambda: smtp.replies.update({".": "452 4.3.1 full"})),
            ("down", smtp.close)):
        fail()
        submit(server, subject)
        server.wait_logged(subject, r"Not sent at its time, will be tried "
                           "again: ")
        client = Client(server)
        check_held(client, subject)
        client.close()
        check_equal(deferred(server), [(0, 0, 1)], "doveadm mapi deferred")
        wait_for("the time of the next attempt", lambda: time.time() + 10 <
                 queue(server)[server.users[0]] < time.time() + 4000, 60)
        check_equal(reports(server, subject), [], "reports")
        smtp.reset()
        wait_for("its being sent", lambda: subject in smtp.subjects() or
                 deferred(server) == [(1, 0, 0)], 60)
        wait_sent(server, smtp, subject)
        smtp.reset()


def test_refused(server):
    """The sender is told, and may send it to others."""
    smtp = mail_server(server)
    for subject, replies, code, text in (
            ("nobody", {ONE: "550 5.1.1 no such user"}, "5.1.1",
             "550 5.1.1 no such user"),
            ("spam", {".": "554 5.7.1 spam"}, "5.7.1", "554 5.7.1 spam"),
            ("large", {"MAIL": "552 5.3.4 large"}, "5.3.4",
             "552 5.3.4 large")):
        smtp.replies = replies
        submit(server, subject)
        wait_unsubmitted(server, subject)
        found = reports(server, subject)
        check_equal(len(found), 1, "reports")
        check_equal(addresses(found[0]["To"]), [server.users[0]], "To")
        body, status, original = found[0].get_payload()
        check("in the Outbox" in body.get_content() and
              text in body.get_content(), body.get_content())
        fields = status.get_payload()[1]
        check_equal((fields["Final-Recipient"], fields["Status"],
                     fields["Diagnostic-Code"]),
                    (f"rfc822; {ONE}", code, f"smtp; {text}"), "status")
        check_equal(original.get_payload()[0]["Subject"], subject, "original")
        check_equal(deferred(server), [(0, 0, 0)], "doveadm mapi deferred")
        wait_for("an empty queue",
                 lambda: server.users[0] not in queue(server), 60)
        check_again(server, smtp, subject)
        smtp.reset()


def test_partly_refused(server):
    """The others get it."""
    smtp = mail_server(server)
    smtp.replies = {TWO: "550 5.1.1 no"}
    submit(server, "partly", SOON, [(TO, ONE, "1"), (TO, TWO, "2")])
    wait_sent(server, smtp, "partly")
    check_equal(smtp.mails[-1].rcpts, [ONE], "recipients")
    found = reports(server, "partly")
    check_equal(len(found), 1, "reports")
    check("The others" in found[0].get_payload()[0].get_content(), "text")


def test_answer_missing(server):
    """Nobody knows whether it has been sent: it isn't sent again."""
    smtp = mail_server(server)
    smtp.replies = {".": None}
    submit(server, "unknown")
    server.wait_logged("the doubt", "May have been sent or not")
    wait_for("its end", lambda: server.users[0] not in queue(server), 60)
    check_equal(deferred(server), [(0, 0, 0)], "doveadm mapi deferred")
    smtp.replies = {}
    client = Client(server)
    mid, mark = client.rows()["unknown"]
    check_equal(mark & (SUBMITTED | UNSENT), SUBMITTED | UNSENT, "flags")
    check_equal(client.submit(client.open_message(mid)), EC_SUBMITTED,
                "not a second time")
    check_equal(client.abort(mid), 0, "RopAbortSubmit")
    check_equal(smtp.mails, [], "mails")
    client.close()
    check_again(server, smtp, "unknown")


def test_too_late(server):
    """What should have been sent long ago isn't sent any more."""
    smtp = mail_server(server)
    client = Client(server)
    create(client, "old", -10 * 86400)
    client.close()
    kill_workers(server)
    server.doveadm("flags", "add", "-u", server.users[0],
                   "$SubmitPending $MapiHeld", "mailbox",
                   "mapi-internal/folder-*", "header", "subject", "old")
    check_equal(deferred(server), [(0, 1, 0)], "doveadm mapi deferred")
    check_equal(smtp.mails, [], "mails")
    check_equal(len(reports(server, "old")), 1, "reports")
    check("couldn't be sent when it should" in
          reports(server, "old")[0].get_payload()[0].get_content(), "text")
    check_again(server, smtp, "old")


def test_killed(server):
    """The process that sends it dies: it isn't sent again by itself."""
    smtp = mail_server(server)
    smtp.arrived = lambda mail: kill_workers(server)
    submit(server, "killed")
    server.wait_logged("the failure", "can't be sent now, will be tried again")
    smtp.arrived = lambda mail: None
    server.wait_logged("the doubt", "May have been sent or not")
    wait_unsubmitted(server, "killed", SUBMITTED | UNSENT)
    check_equal(deferred(server), [(0, 0, 0)], "doveadm mapi deferred")
    # that's what the mail server had when the process died
    check_equal(smtp.subjects(), ["killed"], "mails")
    smtp.mails = []
    client = Client(server)
    check_equal(client.abort(client.rows()["killed"][0]), 0, "RopAbortSubmit")
    client.close()
    check_again(server, smtp, "killed")


def test_queue_killed(server):
    """The one that knows the times dies, at the time or before, or is restarted."""
    smtp = mail_server(server)
    for n, stop in enumerate((lambda: kill_queue(server),
                              lambda: server.doveadm("reload"))):
        submit(server, f"stop {n}", SOON + n)
        stop()
        wait_sent(server, smtp, f"stop {n}")
    wait_for("an empty queue",
             lambda: server.users[0] not in queue(server), 60)


def test_at_once(server):
    """Several processes want to send it, and the user wants it back."""
    smtp = mail_server(server)
    arrived, go_on = threading.Event(), threading.Event()

    def wait(_):
        arrived.set()
        go_on.wait(60)

    smtp.arrived = wait
    submit(server, "at once")
    check(arrived.wait(60), "nothing arrived")
    client = Client(server)
    mid = check_held(client, "at once")
    check_equal(client.abort(mid), EC_UNABLE_TO_ABORT, "RopAbortSubmit")
    results = []
    threads = [threading.Thread(target=lambda: results.append(
        deferred(server))) for _ in range(2)]
    for thread in threads:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(120)
    check_equal(results, [[(0, 0, 0)]] * 2, "doveadm mapi deferred")
    wait_sent(server, smtp, "at once")
    check("at once" not in client.rows(), "it's still there")
    client.close()


def test_full(server):
    """Nobody remembers it: it isn't held."""
    smtp = mail_server(server)
    client = Client(server)
    folder = queue_path(server) + ".tmp"
    # nothing can be written in its place, not by root either
    os.mkdir(folder)
    try:
        msg = create(client, "not held", LATER)
        check_equal(client.submit(msg), EC_NOT_SUPPORTED, "RopSubmitMessage")
        check_equal(flags(client, "not held"), UNSENT, "flags")
    finally:
        os.rmdir(folder)
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal(client.abort(check_held(client, "not held")), 0, "abort")
    check_equal(smtp.mails, [], "mails")
    client.close()


if __name__ == "__main__":
    main()
