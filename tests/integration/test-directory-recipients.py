#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
# may-log: killed with signal 9
"""Mail meets the address book: whom it knows by any address is one of it in
messages, too; and mail is read as before when it's gone."""

import os
import signal
import time

from readlib import check, check_equal, main, processes, wait_for

MESSAGE = b"""From: Bobby <bob@example.org>\r
To: Alice <alice.adams@example.org>, <carol@example.org>,\r
 Somebody Else <somebody@example.net>\r
Cc: engineers@example.org\r
Subject: to colleagues\r
Date: Mon, 23 Nov 2026 10:00:00 +0000\r
\r
text\r
"""


def first_message(server):
    walk = server.walk("--rows", "1", "--messages", "1")
    return walk["tables"][0]["messages"][0], walk["logon"]["store"]


def recipients(server):
    message, _ = first_message(server)
    return {r["address"]: (r["name"], r["address_type"])
            for r in message["recipients"]}


def test_recipients(server):
    server.lmtp(MESSAGE)
    message, store = first_message(server)
    check_equal(store["PidTagMailboxOwnerName"], "Alice Adams", "the owner")
    check_equal((message["from_name"], message["from_address"]),
                ("Bobby", "bob@example.org"), "sender")
    found = recipients(server)
    # the address stays the one that was written to
    check_equal(found["alice.adams@example.org"], ("Alice", "EX"),
                "by an alias")
    check_equal(found["carol@example.org"], ("Carol Clark", "EX"),
                "without a name in the header")
    check_equal(found["somebody@example.net"], ("Somebody Else", "SMTP"),
                "a stranger")
    check_equal(found["engineers@example.org"], ("Engineers", "EX"), "a list")


def test_changes(server):
    """What is in the message follows the directory."""
    path = server.env["ADDRESSBOOK_LDIF"]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text += "\ndn: uid=somebody,dc=example,dc=org\n" \
        "objectClass: inetOrgPerson\nuid: somebody\ncn: Somebody\n" \
        "sn: Somebody\nmail: somebody@example.net\n"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".new", path)
    wait_for("the stranger being known",
             lambda: recipients(server)["somebody@example.net"][1] == "EX")


def test_service_gone(server):
    """Each session asks for itself; none waits long."""
    for _ in range(3):
        for pid in processes(server, "mapi-addressbook"):
            os.kill(pid, signal.SIGKILL)
        start = time.monotonic()
        found = recipients(server)
        check(time.monotonic() - start < 10, "reading took too long")
        check_equal(len(found), 4, "recipients")
    wait_for("the address book being back",
             lambda: recipients(server)["engineers@example.org"] ==
             ("Engineers", "EX"), timeout=30)


if __name__ == "__main__":
    main()
