#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# may-log: killed with signal 9
"""Mail that is to be sent later: it's in the Outbox until then, can be taken back,
and is sent at its time whoever is there then."""

import struct
import time

from deferredlib import (
    DEFERRED_DELIVERY_TIME, DEFERRED_SEND_NUMBER, DEFERRED_SEND_TIME,
    DEFERRED_SEND_UNITS, LATER, ONE, SOON, TWO, check_held, create, deferred,
    flags, lose_queue, mail_server, queue, wait_sent)
from readlib import check, check_equal, main, wait_for
from submitlib import (
    Client, EC_NOT_IN_QUEUE, EC_NO_RECIPIENTS, EC_SUBMITTED, INBOX, OUTBOX,
    SUBJECT, SUBMIT_FLAGS, TO, TRANSPORT_SEND, UNSENT, addresses, by_subject)

DELETE_MESSAGES, HARD_DELETE, MOVE_COPY = 0x1E, 0x91, 0x33
EMPTY_FOLDER, HARD_DELETE_ALL = 0x58, 0x92


def check_untouchable(client, mid):
    outbox, inbox = (client.raw.open_folder(
        client.logon, client.raw.logon_ids[n]) for n in (OUTBOX, INBOX))
    for rop in (DELETE_MESSAGES, HARD_DELETE):
        answer = client.ok(struct.pack("<BBBBBH", rop, 0, 0, 0, 0, 1) + mid,
                           [outbox], "deleting it")
        check_equal(answer.rops[6], 1, "PartialCompletion")
    for copy in (0, 1):
        answer = client.ok(struct.pack("<BBBBH", MOVE_COPY, 0, 0, 1, 1) + mid +
                           bytes([0, copy]), [outbox, inbox], "moving it")
        check_equal(answer.rops[6], 1, "PartialCompletion")
    for rop in (EMPTY_FOLDER, HARD_DELETE_ALL):
        answer = client.ok(struct.pack("<BBBBB", rop, 0, 0, 0, 0), [outbox],
                           "emptying the folder")
        check_equal(answer.rops[6], 1, "PartialCompletion")
    msg = client.open_message(mid)
    check_equal(client.submit(msg), EC_SUBMITTED, "a second time")
    client.set_props(msg, {SUBJECT: "changed"})
    check_equal(client.one(struct.pack("<BBBBB", 0x0C, 0, 1, 0, 0x0A),
                           [msg, msg]).return_value(), EC_SUBMITTED,
                "RopSaveChangesMessage")


def test_held(server):
    """Nothing can be done to it but to take it back."""
    smtp = mail_server(server)
    client = Client(server)
    check_equal(client.submit(create(client, "held", LATER)), 0,
                "RopSubmitMessage")
    mid = check_held(client, "held")
    due = queue(server)[server.users[0]]
    check(abs(due - time.time() - LATER) < 600, f"queue: {due}")
    check_equal(client.prop_u32(client.open_message(mid), SUBMIT_FLAGS), None,
                "PidTagSubmitFlags")
    check_untouchable(client, mid)
    check_held(client, "held")
    check_equal(by_subject(server, "INBOX", "held"), [], "INBOX")
    check_equal(deferred(server), [(0, 0, 1)], "doveadm mapi deferred")

    check_equal(client.abort(mid), 0, "RopAbortSubmit")
    check_equal(flags(client, "held"), UNSENT, "flags")
    check_equal(client.abort(mid), EC_NOT_IN_QUEUE, "once more")
    check_equal(deferred(server), [(0, 0, 0)], "doveadm mapi deferred")
    check_equal(smtp.mails, [], "mails")
    # edited, it's sent at once
    msg = client.open_message(mid)
    client.set_props(msg, {SUBJECT: "edited", DEFERRED_DELIVERY_TIME: 5})
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal(smtp.subjects(), ["edited"], "mails")
    client.close()


def test_when(server):
    """All the ways to say it; who has earlier mail is looked at earlier."""
    mail_server(server)
    client = Client(server)
    for subject, values, secs in (
            ("number", {DEFERRED_SEND_NUMBER: 20, DEFERRED_SEND_UNITS: 1,
                        DEFERRED_DELIVERY_TIME: 5}, 72000),
            ("time", {DEFERRED_SEND_TIME: time.time() + 50000,
                      DEFERRED_DELIVERY_TIME: 5}, 50000),
            ("later", {DEFERRED_SEND_TIME: time.time() + 5000,
                       DEFERRED_DELIVERY_TIME: time.time() + 60000}, 50000)):
        check_equal(client.submit(client.create(
            {SUBJECT: subject, **values}, [(TO, ONE, "1")])), 0, subject)
        check_held(client, subject)
        due = queue(server)[server.users[0]] - time.time()
        check(abs(due - secs) < 600, f"{subject}: {due}")
    # what can't be sent is said at once
    check_equal(client.submit(client.create(
        {SUBJECT: "nobody", DEFERRED_DELIVERY_TIME: time.time() + LATER},
        [])), EC_NO_RECIPIENTS, "nobody")
    for subject in ("number", "time", "later"):
        check_equal(client.abort(client.rows()[subject][0]), 0, "abort")
    client.close()


def test_sent(server):
    """... while the client is there, and when it isn't"""
    smtp = mail_server(server)
    client = Client(server)
    check_equal(client.submit(create(
        client, "with client", SOON, [(TO, ONE, "1"), (3, TWO, "2")])), 0,
                "RopSubmitMessage")
    wait_sent(server, smtp, "with client")
    check_equal(smtp.mails[-1].rcpts, [ONE, TWO], "recipients")
    sent = by_subject(server, "Sent", "with client")[0]
    check_equal(sent["Message-ID"], smtp.mails[-1].message["Message-ID"],
                "Message-ID")
    check_equal((addresses(sent["Bcc"]), smtp.mails[-1].message["Bcc"]),
                ([TWO], None), "Bcc")
    check_equal(flags(client, "with client"), None, "Outbox")
    # not saved, and with the other operation
    msg = create(client, "alone", SOON, save=False)
    client.ok(struct.pack("<BBB", TRANSPORT_SEND, 0, 0), [msg],
              "RopTransportSend")
    client.close()
    wait_sent(server, smtp, "alone")
    wait_for("an empty queue",
             lambda: server.users[0] not in queue(server), 60)


def test_many(server):
    """All at one time, with some that aren't"""
    smtp = mail_server(server)
    client = Client(server)
    for i in range(30):
        check_equal(client.submit(create(client, f"many {i}", SOON)), 0,
                    "RopSubmitMessage")
        if i % 3 == 0:
            check_equal(client.submit(create(client, f"not yet {i}", LATER)),
                        0, "RopSubmitMessage")
    wanted = sorted(f"many {i}" for i in range(30))
    wait_for("their being sent",
             lambda: sorted(smtp.subjects()) == wanted and not
             [name for name in client.rows() if name.startswith("many")], 60)
    client.close()
    # by a new session, too
    client = Client(server)
    rows = client.rows()
    for i in range(0, 30, 3):
        check_held(client, f"not yet {i}")
        check_equal(client.abort(rows[f"not yet {i}"][0]), 0, "RopAbortSubmit")
    check_equal(sorted(smtp.subjects()), wanted, "mails")
    client.close()


def test_other_folder(server):
    """It's held in the Outbox, wherever it was."""
    smtp = mail_server(server)
    # who has never had anything in the Outbox
    client = Client(server, server.users[2])
    check_equal(client.submit(create(client, "first", LATER, folder=INBOX)), 0,
                "RopSubmitMessage")
    check_equal(client.abort(check_held(client, "first")), 0, "RopAbortSubmit")
    client.close()
    client = Client(server)
    msg = create(client, "from inbox", LATER, folder=INBOX)
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    mid = check_held(client, "from inbox")
    check("from inbox" not in client.rows(INBOX), "it's still in the INBOX")
    check_equal(client.abort(mid), 0, "RopAbortSubmit")
    check_equal(client.submit(create(client, "soon from inbox", SOON,
                                     folder=INBOX)), 0, "RopSubmitMessage")
    wait_sent(server, smtp, "soon from inbox")
    client.close()


def test_expunged(server):
    """Who expunges it takes it back."""
    mail_server(server)
    client = Client(server)
    check_equal(client.submit(create(client, "expunged", LATER)), 0,
                "RopSubmitMessage")
    check_held(client, "expunged")
    server.doveadm("expunge", "-u", server.users[0], "mailbox",
                   "mapi-internal/folder-*", "header", "subject", "expunged")
    check_equal(deferred(server), [(0, 0, 0)], "doveadm mapi deferred")
    client.close()


def test_queue_lost(server):
    """The user's next logon, or an administrator, finds the mail."""
    smtp = mail_server(server)
    alice, bob = server.users[:2]
    for user in (alice, bob):
        client = Client(server, user)
        check_equal(client.submit(create(client, f"lost {user}", SOON + 3)), 0,
                    "RopSubmitMessage")
        client.close()
    # whatever has been sent already: then there's nothing to find
    lose_queue(server)
    Client(server, alice).close()
    wait_sent(server, smtp, f"lost {alice}", alice)
    wait_for("bob's", lambda: deferred(server, "-A") and
             f"lost {bob}" in smtp.subjects(), 60)
    wait_sent(server, smtp, f"lost {bob}", bob)


if __name__ == "__main__":
    main()
