#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates-without-acl.conf
# formats: sdbox
"""Without Dovecot's ACL plugin there's nobody but the owner."""

from permlib import (
    ADD, ANONYMOUS, DEFAULT, EC_ACCESS_DENIED, EC_NOT_SUPPORTED, MODIFY,
    REVIEWER, Client, logon_error)
from readlib import check_equal, main


def test_list(server):
    client = Client(server)
    for fid in client.raw.logon_ids[4], client.raw.logon_ids[0]:
        folder = client.open_fid(fid)[1]
        before = {"": (DEFAULT, 0, b""), "Anonymous": (ANONYMOUS, 0, b"")}
        check_equal(client.permissions(folder), before, "rows")
        for change in (ADD, server.users[1], REVIEWER), \
                (MODIFY, DEFAULT, REVIEWER):
            check_equal(client.modify(folder, change), EC_NOT_SUPPORTED,
                        "change")
        check_equal(client.permissions(folder), before, "rows")
        check_equal(client.long_props(folder, 0x66390003, 0x0FF40003),
                    (0x7fb, 0x3b), "what the owner may do")
    client.close()


def test_others(server):
    alice, bob, carol = server.users
    Client(server).close()
    check_equal(logon_error(server, bob, alice), EC_ACCESS_DENIED, "used")
    check_equal(logon_error(server, bob, carol), EC_ACCESS_DENIED, "unused")


main()
