#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: permissions.conf
# timeout: 200
"""A folder's permissions are its ACL: what one sets the other shows, and what an
ACL can't say is kept until somebody changes the ACL."""

import permlib
import writelib
from permlib import (
    ADD, ANONYMOUS, AUTHOR, CONTACT, CONTRIBUTOR, CREATE, DEFAULT, DETAILED,
    EDITOR, EC_ACCESS_DENIED, EC_INVALID_PARAM, EC_NOT_SUPPORTED,
    EC_UNKNOWN_USER, FULL_OWNER, MODIFY, OWNER, PUBLISHING_EDITOR, READ,
    REMOVE, REPLACE_ROWS, FREE_BUSY, REVIEWER, SIMPLE, SUBFOLDER, VISIBLE,
    Client, entry_id, get_acl, logon_error, set_acl)
from readlib import check, check_equal, imap_ok, imap_quote, imap_session, main

ACCESS, ACCESS_LEVEL, RIGHTS = 0x0FF40003, 0x0FF70003, 0x66390003
ALL_LETTERS = "aeiklprstwx"
BUSY = SIMPLE | DETAILED


def open_folder(server, name, user=None):
    writelib.append_many(server, name, [writelib.mail("in " + name)])
    client = Client(server, user)
    return client, client.folder(name)


def without_owner(acl, server):
    return {who: letters for who, letters in acl.items()
            if who not in ("owner", server.users[0])}


def test_list_of_its_own(server):
    client, folder = open_folder(server, "Plain")
    rows = client.permissions(folder)
    check_equal(rows, {"": (DEFAULT, 0, b""),
                       "Anonymous": (ANONYMOUS, 0, b"")}, "rows")
    # the ROP that clients try before
    answer = client.raw.execute(bytes.fromhex("2b00000 11f006a0e00".replace(
        " ", "")), [folder, 0xffffffff])
    check_equal(answer.return_value(), EC_NOT_SUPPORTED, "RopOpenStream")
    client.close()


def test_roles(server):
    """Each role as letters, and back in another session."""
    bob, carol = server.users[1], server.users[2]
    client, folder = open_folder(server, "Roles")
    roles = [(REVIEWER | BUSY, "lr"), (AUTHOR | BUSY, "iplr"),
             (EDITOR | BUSY, "eiplrstw"),
             (PUBLISHING_EDITOR | BUSY, "eiklprstw"),
             (FULL_OWNER | BUSY, ALL_LETTERS), (CONTRIBUTOR, "ipl"),
             (VISIBLE, "l"), (VISIBLE | SIMPLE, "l"), (0, None),
             (OWNER | VISIBLE, "alx"), (READ | BUSY | SUBFOLDER, "kr")]
    check_equal(client.modify(folder, (ADD, bob, 0)), 0, "add")
    for rights, letters in roles:
        member = client.permissions(folder)[bob][0]
        check(member not in (DEFAULT, ANONYMOUS), "member id")
        check_equal(client.modify(folder, (MODIFY, member, rights)), 0,
                    f"modify {rights:x}")
        check_equal(client.rights(folder)[bob], rights, "rights")
        acl = without_owner(get_acl(server, "Roles"), server)
        if letters is not None:
            check_equal(acl.get(bob), "".join(sorted(letters)),
                        f"letters of {rights:x}")
            check("-" + bob not in acl or acl["-" + bob] == "",
                  "negative rights")
        else:
            check_equal(acl.get(bob, ""), "", "no letters")
        other = Client(server)
        check_equal(other.rights(other.folder("Roles"))[bob], rights,
                    f"{rights:x} in another session")
        other.close()
    # without the flag, no word of free and busy times
    member = client.permissions(folder)[bob][0]
    check_equal(client.modify(folder, (MODIFY, member, EDITOR | BUSY)), 0,
                "modify")
    check_equal(client.rights(folder, 0)[bob], EDITOR, "without free/busy")
    check_equal(client.modify(folder, (MODIFY, member, REVIEWER), flags=0), 0,
                "modify")
    check_equal(client.rights(folder)[bob], REVIEWER | BUSY,
                "who may read may see it")

    # several at a time, and a group
    check_equal(client.modify(folder, (REMOVE, member), (ADD, carol, EDITOR),
                              (ADD, entry_id("$staff", 1), REVIEWER)), 0,
                "several")
    rows = client.permissions(folder)
    check_equal(sorted(rows), ["", "$staff", "Anonymous", carol], "members")
    check_equal(rows[carol][2], entry_id(carol), "entry id")
    check_equal(rows["$staff"][2], entry_id("$staff", 1), "a group's")
    check_equal(without_owner(get_acl(server, "Roles"), server),
                {carol: "eilprstw", "$staff": "lr"}, "ACL")
    client.close()


def test_everybody(server):
    bob = server.users[1]
    client, folder = open_folder(server, "Everybody")

    def acl():
        return without_owner(get_acl(server, "Everybody"), server)

    check_equal(client.modify(folder, (MODIFY, DEFAULT, REVIEWER | BUSY)), 0,
                "default")
    check_equal(acl(), {"authenticated": "lr"}, "ACL")
    check_equal(client.rights(folder), {"": REVIEWER | BUSY, "Anonymous": 0},
                "rights")
    # who is in the list has what the list says, and be it nothing
    check_equal(client.modify(folder, (ADD, bob, 0)), 0, "bob")
    check_equal(client.rights(folder)[bob], 0, "bob's")
    check_equal(acl().get(bob, ""), "", "bob's letters")
    # the anonymous are given something, the others not what they hadn't
    check_equal(client.modify(folder, (MODIFY, DEFAULT, 0),
                              (MODIFY, ANONYMOUS, VISIBLE)), 0, "anonymous")
    check_equal(client.rights(folder),
                {"": 0, "Anonymous": VISIBLE, bob: 0}, "rights")
    found = acl()
    check_equal((found["anyone"], found.get("authenticated", "")),
                ("l", ""), "ACL")
    check_equal(client.modify(folder, (MODIFY, ANONYMOUS, 0)), 0, "nobody")
    check_equal(client.rights(folder), {"": 0, "Anonymous": 0, bob: 0},
                "rights")
    check("anyone" not in acl() and "authenticated" not in acl(), "ACL")

    # only the free/busy times: nothing that an ACL says
    check_equal(client.modify(folder, (MODIFY, DEFAULT, SIMPLE)), 0, "busy")
    check_equal(client.rights(folder)[""], SIMPLE, "busy")
    check("authenticated" not in acl(), "ACL")

    # IMAP's anyone is both
    set_acl(server, "Everybody", "anyone", "lr")
    check_equal(client.rights(folder), {
        "": REVIEWER | BUSY, "Anonymous": REVIEWER | BUSY, bob: 0}, "rights")
    check_equal(client.modify(folder, (MODIFY, ANONYMOUS, 0)), 0, "anonymous")
    check_equal(client.rights(folder), {
        "": REVIEWER | BUSY, "Anonymous": 0, bob: 0}, "rights")
    check_equal(acl()["authenticated"], "lr", "ACL")
    client.close()


def test_imap_changes(server):
    """What is changed over IMAP counts, also for what ACLs can't say."""
    bob = server.users[1]
    client, folder = open_folder(server, "Both")
    check_equal(client.modify(folder, (ADD, bob, AUTHOR | CONTACT | SIMPLE |
                                       DETAILED)), 0, "add")
    check_equal(client.rights(folder)[bob],
                AUTHOR | CONTACT | SIMPLE | DETAILED, "kept")
    set_acl(server, "Both", bob, "lrs")
    check_equal(client.rights(folder)[bob], REVIEWER | BUSY, "by IMAP")
    # letters that MAPI can't say stay as long as nothing changes
    member = client.permissions(folder)[bob][0]
    check_equal(client.modify(folder, (MODIFY, member, REVIEWER | CONTACT |
                                       BUSY)), 0, "modify")
    check_equal(get_acl(server, "Both")[bob], "lrs", "letters")
    check_equal(client.rights(folder)[bob], REVIEWER | CONTACT | BUSY, "kept")
    check_equal(client.modify(folder, (MODIFY, member, REVIEWER | CREATE)), 0,
                "modify")
    check_equal(get_acl(server, "Both")[bob], "ilpr", "letters")
    # back to letters that there was a note for: it's still true
    set_acl(server, "Both", bob, "")
    check_equal(client.rights(folder).get(bob, 0), 0, "taken away")
    set_acl(server, "Both", bob, "-" + "lr")
    set_acl(server, "Both", "-" + bob, "r")
    set_acl(server, "Both", bob, "lrw")
    check_equal(client.rights(folder)[bob] & 0x7fb,
                VISIBLE | permlib.EDIT | permlib.EDIT_OWN, "negative rights")
    member = client.permissions(folder)[bob][0]
    check_equal(client.modify(folder, (MODIFY, member, REVIEWER)), 0, "read")
    check_equal(client.rights(folder)[bob], REVIEWER, "read")
    set_acl(server, "Both", bob, None)
    set_acl(server, "Both", "-" + bob, None)
    check(bob not in client.rights(folder), "deleted")
    # a folder that is renamed takes all along
    check_equal(client.modify(folder, (ADD, bob, AUTHOR | CONTACT)), 0, "add")
    with imap_session(server) as imap:
        imap_ok(imap.rename("Both", imap_quote("Renamed both")))
    check_equal(client.rights(client.folder("Renamed both"))[bob],
                AUTHOR | CONTACT, "renamed")
    client.close()


def test_replace(server):
    bob, carol = server.users[1:3]
    client, folder = open_folder(server, "Replace")
    check_equal(client.modify(folder, (ADD, bob, EDITOR), (MODIFY, DEFAULT,
                                       VISIBLE), (MODIFY, ANONYMOUS,
                                                  VISIBLE)), 0, "before")
    check_equal(client.modify(folder, (ADD, carol, REVIEWER),
                              flags=REPLACE_ROWS | FREE_BUSY), 0, "replace")
    check_equal(client.rights(folder),
                {"": VISIBLE, "Anonymous": 0, carol: REVIEWER}, "after")
    check_equal(client.modify(folder, (ADD, DEFAULT, 0),
                              flags=REPLACE_ROWS | FREE_BUSY), 0, "all away")
    check_equal(client.rights(folder), {"": 0, "Anonymous": 0}, "none")
    check_equal(client.modify(folder, (MODIFY, DEFAULT, VISIBLE),
                              flags=REPLACE_ROWS), EC_INVALID_PARAM,
                "only added rows")
    client.close()


def test_refused(server):
    """Nothing is changed if one of the changes can't be made."""
    bob = server.users[1]
    client, folder = open_folder(server, "Refused")
    before = client.permissions(folder)
    for change, error in (
            ((3, 0, REVIEWER), EC_INVALID_PARAM),
            ((8, 0, REVIEWER), EC_INVALID_PARAM),
            ((ADD, b"\0" * 20, REVIEWER), EC_UNKNOWN_USER),
            ((ADD, entry_id(""), REVIEWER), EC_UNKNOWN_USER),
            ((ADD, entry_id("a\nb"), REVIEWER), EC_UNKNOWN_USER),
            ((ADD, entry_id("x" * 3000), REVIEWER), EC_UNKNOWN_USER),
            ((ADD, entry_id(bob).replace(b"Devserver", b"Elsewhere"),
              REVIEWER), EC_UNKNOWN_USER)):
        check_equal(client.modify(folder, (ADD, bob, REVIEWER), change),
                    error, f"{change}")
    check_equal(client.modify(folder, (ADD, bob, REVIEWER), flags=4),
                EC_INVALID_PARAM, "flags")
    check_equal(client.permissions(folder), before, "the same as before")
    # rows without what they need
    for data in ("0100" "00", "020000", "040000",
                 "0101000300736600000000", "02010014007166" + "00" * 8):
        answer = client.raw.execute(
            bytes.fromhex("4000000001" "00" + data), [folder])
        check_equal(answer.return_value(), EC_INVALID_PARAM, data)

    # changes of who isn't in the list are ignored
    check_equal(client.modify(folder, (MODIFY, 4711, REVIEWER), (REMOVE, 4711),
                              (ADD, bob, VISIBLE), (MODIFY, -4711, EDITOR)),
                0, "who isn't there")
    check_equal(client.rights(folder), {"": 0, "Anonymous": 0, bob: VISIBLE},
                "who is there")

    # what the owner may do can't be given away
    check_equal(client.modify(folder, (ADD, server.users[0], READ)), 0, "own")
    check_equal(client.rights(folder, 0)[server.users[0]],
                READ | OWNER | VISIBLE, "still the owner")
    check_equal(client.modify(folder, (ADD, bob, REVIEWER)), 0, "bob")
    client.close()


def test_own_rights(server):
    """An owner whom the administrator has left less."""
    client, folder = open_folder(server, "Less")
    check_equal(client.long_props(folder, RIGHTS, ACCESS, ACCESS_LEVEL),
                (0x7fb, 0x3f, 1), "all")
    client.close()
    server.doveadm("acl", "set", "-u", server.users[0], "Less", "owner",
                   "lookup", "read", "insert")
    client = Client(server)
    folder = client.folder("Less")
    check_equal(client.long_props(folder, RIGHTS, ACCESS, ACCESS_LEVEL),
                (READ | VISIBLE | CREATE, 0x12, 0), "less")
    check_equal(sorted(client.permissions(folder)), sorted(
        ["", "Anonymous", server.users[0]]), "the list")
    check_equal(client.modify(folder, (ADD, server.users[1], REVIEWER)),
                EC_ACCESS_DENIED, "change it")
    server.doveadm("acl", "set", "-u", server.users[0], "Less", "owner",
                   "lookup", "admin")
    check_equal(client.long_props(folder, RIGHTS)[0], OWNER | VISIBLE,
                "in the same session")
    check_equal(client.modify(folder, (ADD, server.users[1], REVIEWER)), 0,
                "may be given by who may not read")
    client.close()


def test_others_mailboxes(server):
    """They aren't opened unless the administrator wants it."""
    alice, bob, _ = server.users
    client, folder = open_folder(server, "For bob")
    check_equal(client.modify(folder, (ADD, bob, REVIEWER)), 0, "give")
    client.close()
    check_equal(logon_error(server, bob, alice), EC_ACCESS_DENIED, "logon")


main()
