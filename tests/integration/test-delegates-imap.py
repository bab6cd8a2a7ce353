#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates-imap.conf
# formats: sdbox
"""Rights that a mailbox has from a default, and what others see over IMAP."""

from editlib import IPM_SUBTREE, Editor
from permlib import (
    ADD, DEFAULT, EDITOR, EC_ACCESS_DENIED, MODIFY, REMOVE, REVIEWER, VISIBLE,
    Client, get_acl, set_acl)
from readlib import check, check_equal, imap_quote, imap_session, main
import writelib


def listed(server, user, owner):
    """The mailboxes of owner that an IMAP client of a user is shown"""
    prefix = f"shared/{owner}/"
    with imap_session(server, user) as imap:
        # it's known from then on that there's such a user
        imap.list(imap_quote(prefix), "*")
        lines = imap.list(imap_quote(prefix), "*")[1]
    return {line.decode().split(prefix, 1)[1].rstrip('"')
            for line in lines if line is not None}


def test_renamed(server):
    """Folders that Outlook renames, moves and copies are still shown to others."""
    alice, bob, _ = server.users
    for name in "Shared", "Parent":
        writelib.append_many(server, name, [writelib.mail(name)])
        set_acl(server, name, bob, "lr")
    check_equal(listed(server, bob, alice), {"Shared", "Parent"}, "shared")
    editor = Editor(server)
    folders, top = editor.folders(), editor.special(IPM_SUBTREE)
    editor.move_folder(top, top, folders["Shared"], "Renamed")
    check_equal(listed(server, bob, alice), {"Renamed", "Parent"}, "renamed")
    editor.move_folder(top, folders["Parent"], folders["Shared"], "Moved")
    check_equal(listed(server, bob, alice), {"Parent", "Parent/Moved"}, "moved")
    editor.copy_folder(folders["Parent"], folders["Parent"], folders["Shared"],
                       "Copied")
    check_equal(listed(server, bob, alice), {
        "Parent", "Parent/Moved", "Parent/Copied"}, "copied")
    editor.close()


def test_companion_tree(server):
    """Who may read the INBOX may read all mailboxes, but not what is MAPI's."""
    alice, bob, _ = server.users
    Client(server).close()
    writelib.append_many(server, "Other", [writelib.mail("other")])
    set_acl(server, "INBOX", bob, "lr")
    with imap_session(server, bob) as imap:
        shared = f"shared/{alice}/"
        check_equal(imap.select(imap_quote(shared + "Other"), True)[0], "OK",
                    "a mailbox")
        for name in "mapi-internal/allotments", "mapi-internal/blocks", \
                "mapi-internal":
            check_equal(imap.select(imap_quote(shared + name), True)[0], "NO",
                        name)
            check_equal(imap.status(imap_quote(shared + name),
                                    "(MESSAGES)")[0], "NO", name)
        found = b" ".join(imap.list(imap_quote(shared), "*")[1])
        check(b"Other" in found and b"mapi-internal" not in found, "LIST")


def test_defaults(server):
    alice, bob, carol = server.users
    # new mailboxes get the INBOX's ACL as theirs
    set_acl(server, "INBOX", bob, None)
    for name in "Inherits", "Everybody":
        writelib.append_many(server, name, [writelib.mail("one")])
    set_acl(server, "INBOX", bob, "lr")
    set_acl(server, "INBOX", carol, "lr")
    client = Client(server)
    folder = client.folder("Inherits")
    both = {"": 0, "Anonymous": 0, bob: REVIEWER, carol: REVIEWER}
    check_equal(client.rights(folder, 0), both, "what is inherited")
    check_equal(get_acl(server, "Inherits").get(bob), None, "isn't its own")

    # of one who is changed, the other stays as he is
    member = client.permissions(folder)[bob][0]
    check_equal(client.modify(folder, (MODIFY, member, EDITOR)), 0, "modify")
    check_equal(client.rights(folder, 0), dict(both, **{bob: EDITOR}),
                "rights")
    other = Client(server, carol, alice)
    check("Inherits" in other.fids(), "carol still sees it")
    # who is removed isn't given it by the default again
    member = client.permissions(folder)[carol][0]
    check_equal(client.modify(folder, (REMOVE, member)), 0, "remove")
    check("Inherits" not in other.fids(), "carol doesn't see it")
    other.close()
    check_equal(client.rights(folder, 0), dict(both, **{bob: EDITOR,
                                                        carol: 0}), "rights")
    # with an entry for everybody the default doesn't count any more
    folder = client.folder("Everybody")
    check_equal(client.modify(folder, (MODIFY, DEFAULT, VISIBLE)), 0,
                "everybody")
    check_equal(client.rights(folder, 0), dict(both, **{"": VISIBLE}),
                "rights")
    other = Client(server, carol, alice)
    folder = other.open_fid(other.fids()["Everybody"])[1]
    check_equal(other.long_props(folder, 0x66390003)[0], REVIEWER, "carol's")
    check_equal(other.modify(folder, (ADD, bob, EDITOR)), EC_ACCESS_DENIED,
                "not hers to give")
    other.close()
    client.close()


main()
