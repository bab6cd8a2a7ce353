#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
# config: submit-directory.conf
"""Sending mail with a directory: one's own addresses, the people whose delegate
one is, recipients by distinguished name."""

import struct

from readlib import check_equal, main
from submitlib import (
    Client, DELETE_AFTER_SUBMIT, EC_ACCESS_DENIED, EC_INVALID_RECIPIENTS,
    SUBJECT, TO, addresses, smtp_server, utf16)

REPRESENTING_SMTP = 0x5D02001F
REPRESENTING_TYPE, REPRESENTING_EMAIL = 0x0064001F, 0x0065001F


def dn(name):
    return "/o=Devserver/ou=Exchange Administrative Group " \
        f"(FYDIBOHF23SPDLT)/cn=Recipients/cn={name}"


def ex_row(name):
    return struct.pack("<HBB", 0x211, 0, 0) + dn(name).encode() + b"\0" + \
        utf16(name) + struct.pack("<HB", 0, 0)


def test_names(server):
    smtp = smtp_server(server)
    alice = "alice@example.org"
    client = Client(server)
    for address, envelope, sender in (
            (alice, alice, []),
            # another address of hers
            ("alice.adams@example.org", "alice.adams@example.org", []),
            # she is a delegate
            ("carol@example.org", alice, [alice])):
        for props in ({REPRESENTING_SMTP: address},
                      {REPRESENTING_TYPE: "SMTP", REPRESENTING_EMAIL: address},
                      {REPRESENTING_TYPE: "EX",
                       REPRESENTING_EMAIL: dn(address)}):
            if "adams" in address and props.get(REPRESENTING_TYPE) == "EX":
                continue
            check_equal(client.submit(client.create(
                {SUBJECT: address, DELETE_AFTER_SUBMIT: 1, **props},
                [(TO, "x@example.net", "x")])), 0, f"{address} {props}")
            mail = smtp.mails[-1]
            check_equal(mail.sender, envelope, "envelope")
            check_equal(addresses(mail.message["From"]), [address], "From")
            check_equal(addresses(mail.message["Sender"]), sender, "Sender")
    for props in ({REPRESENTING_SMTP: "bob@example.org"},
                  {REPRESENTING_TYPE: "EX",
                   REPRESENTING_EMAIL: dn("bob@example.org")},
                  {REPRESENTING_TYPE: "EX",
                   REPRESENTING_EMAIL: dn("nobody@example.org")}):
        check_equal(client.submit(client.create(
            {SUBJECT: "bob", **props}, [(TO, "x@example.net", "x")])),
                    EC_ACCESS_DENIED, f"{props}")
    client.close()
    # not the other way round
    client = Client(server, "carol@example.org")
    check_equal(client.submit(client.create(
        {SUBJECT: "alice", REPRESENTING_SMTP: alice},
        [(TO, "x@example.net", "x")])), EC_ACCESS_DENIED, "by Carol")
    client.close()


def test_recipients(server):
    smtp = smtp_server(server)
    client = Client(server)
    check_equal(client.submit(client.create(
        {SUBJECT: "people", DELETE_AFTER_SUBMIT: 1},
        [(TO, ex_row("bob@example.org")),
         (TO, ex_row("john@example.org")),
         # a list is the mail server's to expand
         (TO, "engineers@example.org", "Engineers")])), 0, "RopSubmitMessage")
    check_equal(smtp.mails[-1].rcpts, [
        "bob@example.org", "john@example.org", "engineers@example.org"],
                "recipients")
    check_equal(client.submit(client.create(
        {SUBJECT: "nobody"}, [(TO, ex_row("nobody@example.org"))])),
                EC_INVALID_RECIPIENTS, "nobody")
    client.close()


if __name__ == "__main__":
    main()
