#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
# timeout: 300
"""Other users' mailboxes: who opens one sees and does there what its ACLs allow,
and nothing else, whatever is asked for."""

import pathlib
import struct

import permlib
import rawmapi
import savelib
import writelib
from delegatelib import (
    NOTE, Session, client_rop, copy, create_folder, delete_folder,
    deleted_messages, open_deleted, prepare)
from permlib import (
    ADD, AUTHOR, EDITOR, EC_ACCESS_DENIED, EC_LOGIN_PERM, EC_NOT_FOUND,
    EC_UNKNOWN_USER, FULL_OWNER, MODIFY, REMOVE, REVIEWER, VISIBLE, Client,
    logon_error, set_acl, user_dn)
from readlib import TestFailure, check, check_equal, main
from savelib import MID, SUBJECT
from writelib import NONE

ACCESS, ACCESS_LEVEL, RIGHTS = 0x0FF40003, 0x0FF70003, 0x66390003
CONTENT_COUNT, DELETED_COUNT, COMMENT = 0x36020003, 0x66400003, 0x3004001F
ROOT, OUTBOX, SUBTREE, INBOX = 0, 5, 3, 4
MODIFIER_NAME, MODIFIER_ENTRY_ID = 0x3FFA001F, 0x3FFB0102


def test_nobody(server):
    alice, bob, carol = server.users
    # whoever hasn't used MAPI yet isn't given anything because others ask
    check_equal(logon_error(server, bob, carol), EC_LOGIN_PERM, "no rights")
    check_equal([p for p in pathlib.Path(server.dir).rglob("mapi-internal")
                 if "carol" in str(p)], [], "nothing is made")
    Client(server).close()
    check_equal(logon_error(server, bob, alice), EC_LOGIN_PERM, "no rights")
    check_equal(logon_error(server, bob, "dave@example.org"),
                EC_UNKNOWN_USER, "unknown")
    check_equal(logon_error(server, bob, "../alice@example.org"),
                EC_UNKNOWN_USER, "no name")
    # by any spelling of the own name it's the own mailbox
    check_equal(logon_error(server, bob, bob.upper()), 0, "own")
    client = Client(server, bob, bob.upper())
    check_equal(client.long_props(client.logon, RIGHTS)[0], 0x7fb, "own")
    client.close()
    own = Client(server, bob)
    others = own.raw
    others.dn = lambda: user_dn(alice)
    try:
        others.logon()
        raise TestFailure("logged on")
    except ValueError:
        pass
    check(own.raw.alive(own.logon), "the session goes on")
    own.close()


def test_reviewer(server):
    alice, bob, _ = server.users
    hidden, hidden_mid, hidden_fai = prepare(server, "Hidden", None)
    fid, mid, fai = prepare(server, "Review", REVIEWER)

    client = Client(server, bob, alice)
    check_equal(sorted(client.fids()), ["Review"], "folders")
    folder = client.folder("Review")
    check_equal(client.long_props(folder, RIGHTS, ACCESS, ACCESS_LEVEL,
                                  CONTENT_COUNT), (REVIEWER, 2, 0, 2),
                "properties of the folder")
    check_equal(client.long_props(client.logon, RIGHTS, ACCESS,
                                  ACCESS_LEVEL), (0, 2, 0), "the mailbox's")
    # who sees a folder sees who else does, [MS-OXCPERM] 3.2.5.1
    check_equal(client.rights(folder, 0), {
        "": 0, "Anonymous": 0, bob: REVIEWER}, "permissions")
    for which in ROOT, SUBTREE:
        check_equal(client.permissions_error(client.raw.open_folder(
            client.logon, client.raw.logon_ids[which])), EC_ACCESS_DENIED,
            "permissions of what is above it")
    check_equal(client.modify(folder, (ADD, bob, FULL_OWNER)),
                EC_ACCESS_DENIED, "change permissions")
    # not the read state either
    check_equal(client.set_read([mid], folder=folder)[0], EC_ACCESS_DENIED,
                "read state")
    client.close()

    session = Session(server, bob, alice)
    check_equal(session.subjects(fid), ["in Review", "saved in Review"],
                "messages")
    check_equal(session.subjects(fid, fai=True), ["view of Review"], "FAI")
    check_equal(session.named(mid, fid), "note in Review", "a bag's property")
    message = session.open_message(mid, fid)
    check_equal(session.get_one(message, ACCESS), 2, "access to the message")
    check_equal(session.get_one(message, ACCESS_LEVEL), 0, "access level")
    tag = session.ids([NOTE])[0] << 16 | 0x1F
    check_equal(session.errors(session.set, message, {tag: "x"}),
                EC_ACCESS_DENIED, "set a property")
    check_equal(session.errors(session.open_message, mid, fid,
                               savelib.READ_WRITE), EC_ACCESS_DENIED, "write")
    check_equal(session.errors(session.create, fid), EC_ACCESS_DENIED,
                "create")
    check_equal(session.errors(session.create, fid, True), EC_ACCESS_DENIED,
                "create FAI")
    handle = session.raw.open_folder(session.logon, fid)
    check_equal(session.set(handle, {COMMENT: "x"}),
                {COMMENT: EC_ACCESS_DENIED}, "comment")
    check_equal(session.errors(session.delete, handle, [COMMENT]),
                EC_ACCESS_DENIED, "delete the comment")
    check_equal(session.errors(session.set, session.logon, {0x7C00001F: "x"}),
                EC_ACCESS_DENIED, "property of the mailbox")
    # ids, of which there aren't endlessly many
    check_equal(session.ids([(savelib.PS_PUBLIC_STRINGS, "by bob")]), [0],
                "named property")
    check_equal(session.errors(session.rop, 0x7F, struct.pack("<I", 10),
                               [session.logon]), EC_ACCESS_DENIED,
                "reserve ids")
    check_equal(session.errors(session.rop, 0x44, b"x" * 16 + bytes(
        [0, 0, 0, 0, 0, 1, 0, 0]), [session.logon]), EC_ACCESS_DENIED,
        "replica id")
    for rop, body in ((0x60, bytes(16)), (0x61, bytes(24)),
                      (0x63, bytes(24 + 7)), (0x64, bytes(24 + 7 + 16))):
        check_equal(session.errors(session.rop, rop, body, [session.logon]),
                    EC_ACCESS_DENIED, f"per-user information {rop:x}")
    check_equal(session.errors(session.open, 0x3F, b"\0", handle),
                EC_ACCESS_DENIED, "rules")
    check_equal(session.errors(session.rop, 0x41, b"\1\0\0", [handle]),
                EC_ACCESS_DENIED, "change rules")
    for what, mids in (("message", [mid]), ("FAI", [fai])):
        for rop in (0x1E, 0x91):
            check_equal(client_rop(session, rop, handle, mids),
                        EC_ACCESS_DENIED, f"delete {what}")
    check_equal(session.errors(session.rop, 0x58, b"\0\1", [handle]),
                EC_ACCESS_DENIED, "empty")
    check_equal(set_status(session, handle, mid), EC_ACCESS_DENIED, "status")
    check_equal(create_folder(session, handle, "Below"), EC_ACCESS_DENIED,
                "create a folder")
    subtree = session.raw.open_folder(session.logon,
                                      session.raw.logon_ids[SUBTREE])
    check_equal(create_folder(session, subtree, "Beside"), EC_ACCESS_DENIED,
                "create a folder beside it")
    check_equal(delete_folder(session, subtree, fid), EC_ACCESS_DENIED,
                "delete the folder")
    # nothing has happened
    owner = Session(server)
    check_equal(owner.subjects(fid), ["in Review", "saved in Review"], "left")
    check_equal(owner.subjects(fid, fai=True), ["view of Review"], "left")
    check_equal(owner.named(mid, fid), "note in Review", "left")
    owner.close()

    # guesses
    for wanted in hidden, *session.raw.logon_ids[1:3], \
            *session.raw.logon_ids[INBOX:]:
        check_equal(session.errors(session.rop, 0x02, wanted + b"\0",
                                   [session.logon, NONE], 1),
                    EC_NOT_FOUND, f"folder {wanted.hex()}")
        for guess in hidden_mid, hidden_fai, mid, 0x0000000100000001:
            check(session.errors(session.open_message, guess, wanted) != 0,
                  f"message {guess:x} in {wanted.hex()}")
            check(client_rop(session, 0x1E, handle, [guess]) != 0 or
                  guess != mid, "delete")
    for guess in hidden_mid, hidden_fai:
        for place in fid, session.raw.logon_ids[ROOT], b"\0" * 8:
            check(session.errors(session.open_message, guess, place) in
                  (EC_NOT_FOUND, EC_ACCESS_DENIED), f"{guess:x} elsewhere")
    for i in range(1, 0x60):
        place = b"\5\0" + struct.pack(">HI", 0, i)
        if place not in (fid, session.raw.logon_ids[ROOT],
                         session.raw.logon_ids[SUBTREE]):
            check_equal(session.errors(session.rop, 0x02, place + b"\0",
                                       [session.logon, NONE], 1),
                        EC_NOT_FOUND, f"folder {i:x}")
    # what is in folders that have to be seen
    for which in ROOT, SUBTREE:
        folder = session.raw.open_folder(session.logon,
                                         session.raw.logon_ids[which])
        for flags in b"\0", b"\2":
            check_equal(session.errors(session.open, 0x05, flags, folder),
                        EC_ACCESS_DENIED, f"table of folder {which}")
        check(session.errors(session.create, session.raw.logon_ids[which],
                             True) != 0, "FAI in it")
    # all messages of a mailbox: those of the folders that may be read
    folder = session.raw.open_folder(session.logon,
                                     session.raw.logon_ids[ROOT])
    table, _ = session.open(0x05, b"\x80", folder)
    check_equal(sorted(row[SUBJECT] for row in
                       session.rows(table, (MID, SUBJECT))),
                ["in Review", "saved in Review"], "conversation members")
    # a search over the owner's folders, kept in the owner's mailbox
    check_equal(create_folder(session, folder, "Search", kind=2),
                EC_ACCESS_DENIED, "search folder")
    check_equal(session.errors(session.rop, 0x26, hidden + b"\0IPM.X\0"[1:],
                               [session.logon]), EC_ACCESS_DENIED,
                "receive folder")
    session.close()


def set_status(session, folder, mid):
    return session.errors(session.rop, 0x20, struct.pack("<QII", mid, 8, 8),
                          [folder])


def test_visible_only(server):
    alice, bob, _ = server.users
    fid, mid, fai = prepare(server, "Seen", VISIBLE)
    client = Client(server, bob, alice)
    error, folder = client.open_fid(fid)
    check_equal(error, 0, "open")
    check_equal(client.long_props(folder, RIGHTS, CONTENT_COUNT, 0x36030003,
                                  0x36170003, 0x0E080003),
                (VISIBLE, 0, 0, 0, 0), "counts aren't told")
    session = Session(server, bob, alice)
    for flags in b"\0", b"\2":
        check_equal(session.errors(session.open, 0x05, flags,
                                   session.raw.open_folder(session.logon,
                                                           fid)),
                    EC_ACCESS_DENIED, "contents")
    for guess in mid, fai:
        check_equal(session.errors(session.open_message, guess, fid),
                    EC_ACCESS_DENIED, "message")
    check_equal(session.errors(session.create, fid), EC_ACCESS_DENIED,
                "create")
    session.close()
    client.close()


def check_modifier(session, fid, mid, user):
    """Who has changed the message last, as the message and its row say it"""
    message = session.open_message(mid, fid)
    values = session.get(message, (MODIFIER_NAME, MODIFIER_ENTRY_ID))[0]
    session.release(message)
    check_equal(values[MODIFIER_NAME], user.split("@")[0], "name")
    dn = values[MODIFIER_ENTRY_ID][28:].rstrip(b"\0").decode()
    check_equal(dn, user_dn(user), "DN")
    check_equal([row[MODIFIER_NAME] for row in session.contents(
        fid, (MID, MODIFIER_NAME)) if row[MID] == mid],
                [values[MODIFIER_NAME]], "row")


def test_editor(server):
    alice, bob, _ = server.users
    fid, mid, fai = prepare(server, "Edit", EDITOR)
    other, other_mid, _ = prepare(server, "From", REVIEWER)
    session = Session(server, bob, alice)
    handle = session.raw.open_folder(session.logon, fid)
    check(session.ids([(savelib.PS_PUBLIC_STRINGS, "by bob")])[0] != 0,
          "named property")
    check_equal(session.errors(session.rop, 0x7F, struct.pack("<I", 10),
                               [session.logon]), 0, "reserve ids")
    new = session.store(fid, "by bob", named="bob's note")
    check_equal(session.named(new, fid), "bob's note", "saved")
    message = session.open_message(mid, fid, savelib.READ_WRITE)
    check_equal(session.get_one(message, ACCESS), 7, "access")
    tag = session.ids([NOTE])[0] << 16 | 0x1F
    session.set(message, {tag: "changed"})
    check_equal(session.save(message), mid, "same id")
    message = session.open_message(mid, fid, savelib.READ_WRITE)
    session.set(message, {SUBJECT: "changed by bob"})
    check_equal(session.save(message), mid, "same id")
    check_equal(set_status(session, handle, mid), 0, "status")
    # FAI messages are for owners of the folder
    check_equal(session.errors(session.create, fid, True), EC_ACCESS_DENIED,
                "create FAI")
    check_equal(client_rop(session, 0x1E, handle, [fai]), EC_ACCESS_DENIED,
                "delete FAI")
    # from a folder that bob may only read, and back
    source = session.raw.open_folder(session.logon, other)
    check_equal(copy(session, source, handle, other_mid, move=True),
                EC_ACCESS_DENIED, "move out of it")
    check_equal(copy(session, source, handle, other_mid), 0, "copy out of it")
    check_equal(copy(session, handle, source, mid), EC_ACCESS_DENIED,
                "copy into it")
    owner = Session(server)
    check_modifier(owner, fid, new, bob)
    check_modifier(owner, fid, mid, bob)
    check_modifier(session, fid, mid, bob)
    for changed, tag in ((mid, savelib.FLAG_STATUS),
                         (new, savelib.IMPORTANCE)):
        message = owner.open_message(changed, fid, savelib.READ_WRITE)
        owner.set(message, {tag: 2})
        owner.save(message)
        check_modifier(owner, fid, changed, alice)
    # flags alone
    message = session.open_message(mid, fid, savelib.READ_WRITE)
    session.set(message, {savelib.FLAG_STATUS: 0})
    session.save(message)
    check_modifier(owner, fid, mid, bob)
    check_equal(owner.subjects(fid),
                sorted(["by bob", "in Edit", "changed by bob",
                        "saved in From"]), "Edit")
    check_equal(owner.subjects(other), ["in From", "saved in From"], "From")
    check_equal(owner.named(mid, fid), "changed", "property")
    check_equal(owner.named(new, fid), "bob's note", "new one's")
    owner.close()
    check_equal(writelib.subjects(server, "Edit"),
                sorted(["by bob", "in Edit", "changed by bob",
                        "saved in From"]), "over IMAP")
    check_equal(client_rop(session, 0x1E, handle, [new, mid]), 0, "delete")
    check_equal(session.subjects(fid), ["in Edit", "saved in From"], "left")
    # nobody sends from there
    message = session.create(fid)
    session.set(message, {SUBJECT: "in alice's name"})
    session.save(message)
    check(session.errors(session.rop, 0x32, b"\0", [message]) != 0, "submit")
    check_equal(create_folder(session, handle, "No"), EC_ACCESS_DENIED,
                "create a folder")
    session.close()


def test_some_rights(server):
    """Rights that one needs more of than others"""
    alice, bob, _ = server.users
    # a message that is changed is replaced
    fid, mid, _ = prepare(server, "Some", REVIEWER | permlib.EDIT |
                          permlib.EDIT_OWN)
    session = Session(server, bob, alice)
    tag = session.ids([NOTE])[0] << 16 | 0x1F
    message = session.open_message(mid, fid, savelib.READ_WRITE)
    session.set(message, {tag: "changed"})
    session.save(message)
    session.set(message, {SUBJECT: "changed"})
    check_equal(session.errors(session.save, message), EC_ACCESS_DENIED,
                "content")
    session.close()
    owner = Session(server)
    check_equal(owner.subjects(fid), ["in Some", "saved in Some"], "subjects")
    check_equal(owner.named(mid, fid), "changed", "property")
    # to own messages (test-delegates-own.py)
    client = Client(server)
    folder = client.folder("Some")
    member = client.permissions(folder)[bob][0]
    check_equal(client.modify(folder, (MODIFY, member, AUTHOR)), 0, "author")
    client.close()
    session = Session(server, bob, alice)
    new = session.store(fid, "bob's own", named="x")
    for which, wanted in (new, 0), (mid, EC_ACCESS_DENIED):
        check_equal(session.errors(session.open_message, which, fid,
                                   savelib.READ_WRITE), wanted, "edit")
        folder = session.raw.open_folder(session.logon, fid)
        check_equal(client_rop(session, 0x1E, folder, [which]), wanted,
                    "delete")
    session.close()
    check_equal(owner.subjects(fid), ["in Some", "saved in Some"], "subjects")
    owner.close()


def test_soft_deleted(server):
    """What is deleted goes to the owner's companion tree, by the folder's ACL."""
    _, bob, carol = server.users
    fid, mid, fai = prepare(server, "Soft", EDITOR)
    client = Client(server)
    check_equal(client.modify(client.folder("Soft"), (ADD, carol, REVIEWER)),
                0, "for carol")
    client.close()
    owner = Session(server)
    second = owner.store(fid, "second")
    handle = owner.raw.open_folder(owner.logon, fid)
    check_equal(client_rop(owner, 0x1E, handle, [fai]), 0, "delete FAI")
    owner.close()
    editor = Session(server, bob, server.users[0])
    handle = editor.raw.open_folder(editor.logon, fid)
    check_equal(client_rop(editor, 0x1E, handle, [mid, second]), 0, "delete")
    check_equal(editor.subjects(fid), ["in Soft"], "left")
    check_equal(deleted_messages(editor, handle), 2, "deleted")
    check_equal(open_deleted(editor, fid, mid), 0, "open")
    reader = Session(server, carol, server.users[0])
    folder = reader.raw.open_folder(reader.logon, fid)
    check_equal(deleted_messages(reader, folder), 2, "deleted")
    check_equal(reader.get_one(folder, DELETED_COUNT), 2, "count")
    check_equal(open_deleted(reader, fid, mid), 0, "open")
    check_equal(client_rop(reader, 0x1E, folder, [mid]), EC_ACCESS_DENIED,
                "delete")
    check_equal(client_rop(reader, 0x91, folder, [mid]), EC_ACCESS_DENIED,
                "purge")
    for rop in (0x58, 0x92):
        check(reader.raw.execute(bytes([rop, 0, 0, 0, 1]),
                                 [folder]).return_value() != 0 or
              deleted_messages(reader, folder) == 2, "empty")
    check_equal(copy(reader, folder, folder, mid, move=True),
                EC_ACCESS_DENIED, "recover")
    # whoever doesn't see the messages doesn't see these either
    client = Client(server)
    folder_handle = client.folder("Soft")
    member = client.permissions(folder_handle)[carol][0]
    check_equal(client.modify(folder_handle, (MODIFY, member, VISIBLE)), 0,
                "visible")
    client.close()
    folder = reader.raw.open_folder(reader.logon, fid)
    check_equal(deleted_messages(reader, folder), EC_ACCESS_DENIED, "deleted")
    check_equal(reader.get_one(folder, DELETED_COUNT), 0, "count")
    check(open_deleted(reader, fid, mid) in (EC_ACCESS_DENIED, EC_NOT_FOUND),
          "open")
    reader.close()
    check_equal(copy(editor, handle, handle, mid, move=True), 0, "recover")
    check_equal(editor.subjects(fid), ["in Soft", "saved in Soft"], "recovered")
    check_equal(client_rop(editor, 0x91, handle, [second]), 0, "purge")
    check_equal(deleted_messages(editor, handle), 0, "purged")
    # FAI messages are for owners of the folder
    check_equal(client_rop(editor, 0x91, handle, [fai]), EC_ACCESS_DENIED,
                "purge FAI")
    editor.close()


def test_bags_elsewhere(server):
    """A message that has been moved over IMAP is followed by its bag in the
    owner's sessions only; that another's have seen it first doesn't matter."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Moved", EDITOR)
    prepare(server, "Moved from", None)
    server.doveadm("move", "-u", alice, "Moved", "mailbox", "Moved from",
                   "subject", "saved in Moved from")
    for user in bob, None:
        session = Session(server, user, alice if user else None)
        mids = [row[MID] for row in session.contents(fid, (MID, SUBJECT))
                if row[SUBJECT] == "saved in Moved from"]
        if user is not None:
            check_equal(session.named(mids[0], fid), None,
                        "for the other user")
        else:
            check_equal(session.named(mids[0], fid), "note in Moved from",
                        "for the owner")
        session.close()


def test_owner_of_a_folder(server):
    alice, bob, carol = server.users
    fid, _, fai = prepare(server, "Given", FULL_OWNER)
    client = Client(server, bob, alice)
    folder = client.folder("Given")
    check_equal(client.modify(folder, (ADD, carol, REVIEWER)), 0, "for carol")
    check_equal(client.rights(folder, 0), {
        "": 0, "Anonymous": 0, bob: FULL_OWNER, carol: REVIEWER}, "rights")
    client.close()
    session = Session(server, bob, alice)
    handle = session.raw.open_folder(session.logon, fid)
    check_equal(session.set(handle, {COMMENT: "bob was here"}), {}, "comment")
    session.store(fid, "bob's view", fai=True)
    check_equal(client_rop(session, 0x1E, handle, [fai]), 0, "delete FAI")
    check_equal(session.subjects(fid, fai=True), ["bob's view"], "FAI")
    check_equal(create_folder(session, handle, "Made by bob"), 0, "create")
    session.close()
    # a new folder has its parent's ACL
    client = Client(server, bob, alice)
    check("Made by bob" in client.fids(fid), "bob sees it")
    client.close()
    client = Client(server)
    check("Made by bob" in client.fids(fid), "alice sees it")
    client.close()
    session = Session(server, bob, alice)
    parent = session.raw.open_folder(session.logon, fid)
    made = Client(server, bob, alice)
    below = made.fids(fid)["Made by bob"]
    made.close()
    check_equal(delete_folder(session, parent, below), 0, "delete it")
    session.close()
    carols = Session(server, carol, alice)
    check_equal(carols.subjects(fid), ["in Given", "saved in Given"], "carol")
    carols.close()


def test_parents(server):
    """What is above a folder that is seen, but isn't one that may be."""
    alice, bob, _ = server.users
    prepare(server, "Upper", None)
    client = Client(server)
    upper = client.fids()["Upper"]
    client.close()
    path = "Upper/Lower"
    writelib.append_many(server, path, [writelib.mail("low")])
    set_acl(server, path, bob, "lr")
    client = Client(server, bob, alice)
    check_equal([name for name in client.fids() if name == "Upper"],
                ["Upper"], "it's there")
    check("Lower" in client.fids(upper), "what is below it")
    folder = client.open_fid(upper)[1]
    check_equal(client.long_props(folder, RIGHTS, ACCESS, CONTENT_COUNT),
                (0, 0, 0), "nothing of its own")
    check_equal(client.permissions_error(folder), EC_ACCESS_DENIED, "list")
    client.close()
    session = Session(server, bob, alice)
    handle = session.raw.open_folder(session.logon, upper)
    for flags in b"\0", b"\2":
        check_equal(session.errors(session.open, 0x05, flags, handle),
                    EC_ACCESS_DENIED, "contents")
    session.close()


def test_hidden_folders(server):
    """Folders that have no ACL: the owner says who may see them."""
    alice, bob, carol = server.users
    owner = Client(server)
    names = owner.fids(owner.raw.logon_ids[ROOT])
    owner.close()
    check("Freebusy Data" in names, "folders of the Root")
    client = Client(server)
    outbox = client.raw.logon_ids[OUTBOX]
    for fid in names["Freebusy Data"], outbox:
        folder = client.open_fid(fid)[1]
        check_equal(client.modify(folder, (ADD, carol, REVIEWER)), 0, "give")
        check_equal(client.rights(folder, 0), {"": 0, "Anonymous": 0,
                                               carol: REVIEWER}, "rights")
    client.close()
    writer = Session(server)
    sent = writer.store(outbox, "not sent yet", named="x")
    view = writer.store(outbox, "view", fai=True)
    writer.close()
    reader = Session(server, carol, alice)
    check_equal(reader.subjects(outbox), ["not sent yet"], "read")
    check_equal(reader.subjects(outbox, fai=True), ["view"], "read FAI")
    check_equal(reader.named(sent, outbox), "x", "read")
    handle = reader.raw.open_folder(reader.logon, outbox)
    for fai in False, True:
        check_equal(reader.errors(reader.create, outbox, fai),
                    EC_ACCESS_DENIED, "create")
    for mid in sent, view:
        check_equal(client_rop(reader, 0x1E, handle, [mid]), EC_ACCESS_DENIED,
                    "delete")
        check_equal(reader.errors(reader.open_message, mid, outbox,
                                  savelib.READ_WRITE), EC_ACCESS_DENIED,
                    "write")
    check_equal(set_status(reader, handle, sent), EC_ACCESS_DENIED, "status")
    check_equal(reader.errors(reader.rop, 0x58, b"\0\1", [handle]),
                EC_ACCESS_DENIED, "empty")
    freebusy = reader.raw.open_folder(reader.logon, names["Freebusy Data"])
    check_equal(reader.errors(reader.open, 0x05, b"\2", freebusy), 0, "table")
    check_equal(reader.set(freebusy, {COMMENT: "x"}),
                {COMMENT: EC_ACCESS_DENIED}, "comment")
    for name, fid in names.items():
        if name not in ("Freebusy Data", "Top of Information Store"):
            check_equal(reader.errors(reader.rop, 0x02, fid + b"\0",
                                      [reader.logon, NONE], 1),
                        EC_NOT_FOUND, name)
    reader.close()
    reader = Session(server, bob, alice)
    check_equal(reader.errors(reader.rop, 0x02, names["Freebusy Data"] + b"\0",
                              [reader.logon, NONE], 1), EC_NOT_FOUND, "bob")
    reader.close()
    client = Client(server)
    folder = client.open_fid(outbox)[1]
    member = client.permissions(folder)[carol][0]
    check_equal(client.modify(folder, (MODIFY, member, EDITOR)), 0, "more")
    reader = Session(server, carol, alice)
    reader.store(outbox, "by carol")
    check_equal(client_rop(reader, 0x1E, reader.raw.open_folder(
        reader.logon, outbox), [sent]), 0, "delete")
    check_equal(reader.subjects(outbox), ["by carol"], "written")
    check_equal(reader.errors(reader.create, outbox, True), EC_ACCESS_DENIED,
                "create FAI")
    check_equal(client.modify(folder, (REMOVE, member)), 0, "take away")
    check_equal(reader.errors(reader.rop, 0x02, outbox + b"\0",
                              [reader.logon, NONE], 1), EC_NOT_FOUND,
                "taken away")
    reader.close()
    # the mailbox itself
    root = client.open_fid(client.raw.logon_ids[ROOT])[1]
    check_equal(client.modify(root, (ADD, carol, VISIBLE)), 0, "root")
    client.close()


def test_taken_away(server):
    alice, bob, _ = server.users
    fid, mid, _ = prepare(server, "Away", EDITOR)
    session = Session(server, bob, alice)
    handle = session.raw.open_folder(session.logon, fid)
    table, _ = session.open(0x05, b"\0", handle)
    check_equal(len(session.rows(table, (MID, SUBJECT))), 2, "rows")
    message = session.open_message(mid, fid, savelib.READ_WRITE)
    new = session.create(fid)
    session.set(new, {SUBJECT: "too late"})
    set_acl(server, "Away", bob, None)
    check_equal(session.errors(session.rows, table, (MID, SUBJECT)),
                EC_ACCESS_DENIED, "the open table")
    check(session.errors(session.open_message, mid, fid) in
          (EC_NOT_FOUND, EC_ACCESS_DENIED), "the message")
    check(session.errors(session.save, new) != 0, "save")
    session.set(message, {SUBJECT: "changed"})
    check(session.errors(session.save, message) != 0, "change")
    check(client_rop(session, 0x1E, handle, [mid]) != 0, "delete")
    check_equal(session.errors(session.rop, 0x02, fid + b"\0",
                               [session.logon, NONE], 1), EC_NOT_FOUND,
                "the folder")
    session.close()
    check_equal(writelib.subjects(server, "Away"),
                ["in Away", "saved in Away"], "left")


def test_several_mailboxes(server):
    """Objects of one mailbox aren't those of another."""
    alice, bob, carol = server.users
    afid, amid, _ = prepare(server, "Both", REVIEWER)
    cfid, cmid, _ = prepare(server, "Both", EDITOR, bob, carol)
    own, _, _ = prepare(server, "Both", None, user=bob)
    raw = rawmapi.RawMapi(server, bob, timeout=60)
    raw.connect()

    def logon(number, dn):
        text = user_dn(dn).encode() + b"\0"
        answer = raw.execute(struct.pack(
            "<BBBBIIH", rawmapi.ROP_LOGON, number, 0, 1, 0x0100000C, 0,
            len(text)) + text, [NONE])
        check_equal(answer.return_value(), 0, "RopLogon")
        flags, guid = answer.rops[7 + 13 * 8], answer.rops[112:128]
        return answer.handles[0], flags, guid

    def open_folder(number, handle, fid):
        answer = raw.execute(bytes([2, number, 0, 1]) + fid + b"\0",
                             [handle, NONE])
        return answer.return_value(), answer.handles[1]

    def subjects(number, folder):
        answer = raw.execute(bytes([5, number, 0, 1, 0]) + struct.pack(
            "<BBBBHI", 0x12, number, 1, 0, 1, SUBJECT) + struct.pack(
            "<BBBBBH", 0x15, number, 1, 0, 1, 50), [folder, NONE])
        rows = answer.rops[10 + 7:]
        check_equal(rows[2:6], bytes(4), "RopQueryRows")
        pos, found = 9, []
        for _ in range(struct.unpack_from("<H", rows, 7)[0]):
            text, pos = permlib.utf16z(rows, pos + 1)
            found.append(text)
        return sorted(found)

    mine, flags, guid = logon(0, bob)
    check_equal(flags & 7, 7, "ResponseFlags of the own mailbox")
    alices, flags, alice_guid = logon(1, alice)
    check_equal(flags & 7, 1, "ResponseFlags of another's")
    carols, _, carol_guid = logon(7, carol)
    check_equal(len({guid, alice_guid, carol_guid}), 3, "GUIDs")
    again, _, again_guid = logon(2, alice)
    check_equal(again_guid, alice_guid, "the same mailbox once more")

    folders = {}
    for number, handle, fid, text in ((0, mine, own, "bob"),
                                      (1, alices, afid, "alice"),
                                      (7, carols, cfid, "carol"),
                                      (2, again, afid, "alice")):
        error, folders[number] = open_folder(number, handle, fid)
        check_equal(error, 0, f"folder of {text}")
        check_equal(subjects(number, folders[number]),
                    ["in Both", "saved in Both"], text)
    # an object with another logon's number
    for number in folders:
        for other, folder in folders.items():
            if other != number:
                answer = raw.execute(bytes([5, number, 0, 1, 0]),
                                     [folder, NONE])
                check(answer.return_value() != 0,
                      f"folder of logon {other} in {number}")
    # from carol's mailbox into the own one: the folder of the other logon is
    # the destination of an operation of the first
    answer = raw.execute(struct.pack("<BBBBHQBB", 0x33, 7, 0, 1, 1, cmid, 0,
                                     1), [folders[7], folders[0]])
    check_equal(answer.return_value(), 0, "copy between mailboxes")
    check_equal(subjects(0, folders[0]),
                ["in Both", "saved in Both", "saved in Both"], "own")
    # a logon's end is that of its objects only
    raw.execute(bytes([1, 1, 0]), [alices])
    check(raw.execute(bytes([5, 1, 0, 1, 0]),
                      [folders[1], NONE]).return_value() != 0, "released")
    check_equal(subjects(2, folders[2]), ["in Both", "saved in Both"],
                "the other logon to it")
    raw.execute(bytes([1, 2, 0]), [again])
    check_equal(subjects(7, folders[7]), ["in Both", "saved in Both"],
                "carol's")
    check_equal(subjects(0, folders[0]),
                ["in Both", "saved in Both", "saved in Both"], "own")
    # the number of a logon is used again
    handle, _, new_guid = logon(7, alice)
    check_equal(new_guid, alice_guid, "alice in place of carol")
    check(raw.execute(bytes([5, 7, 0, 1, 0]),
                      [folders[7], NONE]).return_value() != 0, "carol's folder")
    check_equal(open_folder(7, handle, afid)[0], 0, "alice's folder")
    check(open_folder(7, handle, b"\5\0\0\0\0\0\xff\xf0")[0] != 0, "no folder")
    raw.close()


def test_admin_flag(server):
    alice, bob, _ = server.users
    prepare(server, "Administered", REVIEWER)
    check_equal(logon_error(server, bob, alice, 0x0100000D), EC_LOGIN_PERM,
                "with administrator's rights")
    check_equal(logon_error(server, bob, alice), 0, "without")


main()
