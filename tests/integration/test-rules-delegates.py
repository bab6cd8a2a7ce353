#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
"""Rules of folders in other users' mailboxes are for those who own the folder, and
the read states of public folders are the mailbox's owner's."""

import struct

import permlib
import rawmapi
import rulelib
from permlib import ADD, EC_ACCESS_DENIED, FULL_OWNER, MODIFY, REVIEWER, user_dn
from readlib import append, check_equal, main
from rulelib import GET_RULES_TABLE, ID, NAME, NONE, REMOVE, row, rule
from writelib import mail


class Delegate(rulelib.Client):
    """A logon to owner's mailbox"""

    def __init__(self, server, user, owner):
        self.raw = rawmapi.RawMapi(server, user, timeout=60)
        self.raw.connect()
        self.raw.dn = lambda: user_dn(owner)
        self.logon = self.raw.logon()


def rules_table(client, folder):
    return client.rop(struct.pack("<BBBBB", GET_RULES_TABLE, 0, 0, 1, 0x40),
                      [folder, NONE]).return_value()


def test_rights(server):
    alice, bob = server.users[:2]
    append(server, "Shared", mail("shared"))
    permissions = permlib.Client(server)
    fid = permissions.fids()["Shared"]
    folder = permissions.open_fid(fid)[1]
    check_equal(permissions.modify(folder, (ADD, bob, REVIEWER)), 0, "rights")
    owner = rulelib.Client(server)
    own = owner.raw.open_folder(owner.logon, fid)
    owner.add(rule("alice's"), folder=own)

    client = Delegate(server, bob, alice)
    folder2 = client.raw.open_folder(client.logon, fid)
    check_equal(client.has_rules(fid), 1, "RopOpenFolder")
    check_equal(rules_table(client, folder2), EC_ACCESS_DENIED, "table")
    check_equal(client.modify([], replace=1, folder=folder2), EC_ACCESS_DENIED,
                "RopModifyRules")
    check_equal(owner.names(folder=own), ["alice's"], "rules")
    client.close()

    member = permissions.permissions(folder)[bob][0]
    check_equal(permissions.modify(folder, (MODIFY, member, FULL_OWNER)), 0,
                "rights")
    client = Delegate(server, bob, alice)
    folder2 = client.raw.open_folder(client.logon, fid)
    client.add(rule("bob's", 20), folder=folder2)
    check_equal(owner.names(folder=own), ["alice's", "bob's"], "rules")
    first = client.small(folder=folder2)[0]
    check_equal(first[NAME], "alice's", "rule")
    check_equal(client.modify([row(REMOVE, [(ID, first[ID])])],
                              folder=folder2), 0, "RopModifyRules")
    check_equal(owner.names(folder=own), ["bob's"], "rules")
    check_equal(client.rop(struct.pack("<BBB", 0x61, 0, 0) + bytes(24),
                           [client.logon]).return_value(), EC_ACCESS_DENIED,
                "RopGetPerUserGuid")
    check_equal(client.rop(struct.pack(
        "<BBB24sBIH16s", 0x64, 0, 0, bytes(24), 1, 0, 0, bytes(16)),
        [client.logon]).return_value(), EC_ACCESS_DENIED,
        "RopWritePerUserInformation")
    client.close()
    owner.close()
    permissions.close()


if __name__ == "__main__":
    main()
