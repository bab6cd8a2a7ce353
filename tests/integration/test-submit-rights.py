#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: permissions.conf
# may-log: The report of refused recipients can't be saved: ecAccessDenied
"""Without the right to mark messages nothing is sent: nobody would know later
that it has been. And who can't be told that somebody hasn't got it isn't told that
everybody has."""

import writelib
from readlib import check_equal, main
from submitlib import (
    BODY, Client, EC_ACCESS_DENIED, EC_SUBMITTED, SUBJECT, SUBMITTED, TO,
    UNSENT, by_subject, smtp_server)
from writelib import mail

RECEIPT_ONLY = 0x10


def set_rights(server, mailbox, *rights):
    server.doveadm("acl", "set", "-u", server.users[0], mailbox, "owner",
                   "lookup", "read", "write-seen", "delete", "expunge",
                   "insert", "post", "admin", *rights)


def test_receipt(server):
    smtp = smtp_server(server)
    server.lmtp(mail("receipt", True))
    set_rights(server, "INBOX")
    client = writelib.Client(server)
    mid = client.mids(client.table(client.inbox))[-1]
    check_equal(client.set_read([mid]), (0, 0), "RopSetReadFlags")
    check_equal(client.set_read([mid], RECEIPT_ONLY), (0, 1), "the receipt")
    check_equal(smtp.mails, [], "mails")
    client.close()
    set_rights(server, "INBOX", "write")
    client = writelib.Client(server)
    check_equal(client.set_read([mid], RECEIPT_ONLY), (0, 0), "the receipt")
    check_equal(smtp.subjects(), ["Read: receipt"], "mails")
    client.close()


def test_submit(server):
    """A message in a folder where it may not be marked"""
    smtp = smtp_server(server)
    client = Client(server)
    # it's in the Inbox
    msg = client.create({SUBJECT: "inbox", BODY: "x"},
                        [(TO, "x@example.net", "x")], folder=4)
    set_rights(server, "INBOX")
    check_equal(client.submit(msg), EC_ACCESS_DENIED, "RopSubmitMessage")
    client.close()
    client = Client(server)
    # a new one may be saved, but not be marked
    msg = client.create({SUBJECT: "new", BODY: "x"},
                        [(TO, "x@example.net", "x")], folder=4, save=False)
    check_equal(client.submit(msg), EC_ACCESS_DENIED, "RopSubmitMessage")
    check_equal(smtp.mails, [], "mails")
    check_equal(len(by_subject(server, "INBOX", "inbox")), 1, "it's there")
    client.close()


def test_report(server):
    """A report of refused recipients that can't be saved"""
    smtp = smtp_server(server)
    smtp.replies = {"two@example.net": "550 5.1.1 no"}
    server.doveadm("acl", "set", "-u", server.users[0], "INBOX", "owner",
                   "lookup", "read", "admin")
    client = Client(server)
    msg = client.create({SUBJECT: "unreported", BODY: "x"},
                        [(TO, "one@example.net", "1"),
                         (TO, "two@example.net", "2")])
    check_equal(client.submit(msg), EC_ACCESS_DENIED, "RopSubmitMessage")
    check_equal(smtp.subjects(), ["unreported"], "mails")
    mid, flags = client.rows()["unreported"]
    check_equal(flags & (SUBMITTED | UNSENT), SUBMITTED | UNSENT, "flags")
    check_equal(client.submit(client.open_message(mid)), EC_SUBMITTED,
                "not a second time")
    check_equal(smtp.subjects(), ["unreported"], "mails")
    client.close()
    set_rights(server, "INBOX", "write")


if __name__ == "__main__":
    main()
