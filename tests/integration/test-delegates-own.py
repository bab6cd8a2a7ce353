#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
# timeout: 300
"""Messages that somebody else has created in a mailbox: EditOwned and DeleteOwned
give rights to these, and to nothing else, whatever is asked for."""

import glob
import os
import struct

import readlib
import savelib
import writelib
from delegatelib import (
    NOTE, Session, client_rop, copy, create_folder, deleted_messages, prepare)
from permlib import (
    ADD, AUTHOR, CREATE, DEFAULT, DELETE_OWN, EDIT_OWN, EDITOR,
    EC_ACCESS_DENIED, MODIFY, REVIEWER, SUBFOLDER, VISIBLE, Client, set_acl,
    user_dn)
from readlib import append, check, check_equal, imap_ok, main
from savelib import BODY, MID, SUBJECT

ACCESS, ACCESS_LEVEL, RIGHTS = 0x0FF40003, 0x0FF70003, 0x66390003
CREATOR_NAME, CREATOR_ENTRY_ID = 0x3FF8001F, 0x3FF90102
MODIFIER_NAME = 0x3FFA001F
READ_ONLY, MODIFY_LEVEL = 0, 1
READ_ACCESS, READ_WRITE_ACCESS, FULL_ACCESS = 2, 3, 7
DELETE, HARD_DELETE, MOVE_COPY = 0x1E, 0x91, 0x33
KEYWORDS = (savelib.PS_PUBLIC_STRINGS, "Keywords")
NON_EDITING_AUTHOR = REVIEWER | CREATE | DELETE_OWN
INBOX = 4


def give(server, name, rights, member=None, user=None):
    """Changes what a member of a folder's list may do"""
    client = Client(server, user)
    folder = client.folder(name)
    member = server.users[1] if member is None else member
    row = (ADD, DEFAULT, rights) if member == DEFAULT else \
        (MODIFY, client.permissions(folder)[member][0], rights) \
        if member in client.permissions(folder) else (ADD, member, rights)
    check_equal(client.modify(folder, row), 0, "rights")
    client.close()


def access(session, fid):
    """{subject: (PidTagAccess, PidTagAccessLevel)} as the rows say it"""
    return {row[SUBJECT]: (row[ACCESS], row[ACCESS_LEVEL]) for row in
            session.contents(fid, (MID, SUBJECT, ACCESS, ACCESS_LEVEL))}


def mid_of(session, fid, subject):
    mids = [row[MID] for row in session.contents(fid, (MID, SUBJECT))
            if row[SUBJECT] == subject]
    check_equal(len(mids), 1, subject)
    return mids[0]


def set_status(session, folder, mid):
    return session.errors(session.rop, 0x20, struct.pack("<QII", mid, 8, 8),
                          [folder])


def set_read(session, folder, mids, flags=0):
    """(ReturnValue, PartialCompletion)"""
    answer = session.raw.execute(struct.pack(
        f"<BBBBBH{len(mids)}Q", 0x66, 0, 0, 0, flags, len(mids), *mids),
        [folder])
    return answer.return_value(), answer.rops[6] if len(answer.rops) > 6 else 0


def delete(session, folder, mids, rop=DELETE):
    """(ReturnValue, PartialCompletion)"""
    answer = session.raw.execute(
        struct.pack(f"<BBBBBH{len(mids)}Q", rop, 0, 0, 0, 0, len(mids), *mids),
        [folder])
    return answer.return_value(), answer.rops[6] if len(answer.rops) > 6 else 0


def change(session, fid, mid, values, mode=savelib.READ_WRITE):
    """The error that changing a message ends with, 0 for none"""
    try:
        message = session.open_message(mid, fid, mode)
        session.set(message, values)
        session.save(message)
        session.release(message)
    except savelib.Error as exc:
        return exc.code
    return 0


def creator(session, fid, mid):
    """Who has created a message, as it and its row say: name, DN"""
    message = session.open_message(mid, fid)
    values = session.get(message, (CREATOR_NAME, CREATOR_ENTRY_ID))[0]
    session.release(message)
    row = [row for row in session.contents(
        fid, (MID, CREATOR_NAME, CREATOR_ENTRY_ID)) if row[MID] == mid][0]
    check_equal(row.get(CREATOR_NAME), values.get(CREATOR_NAME), "row's name")
    check_equal(row.get(CREATOR_ENTRY_ID), values.get(CREATOR_ENTRY_ID),
                "row's entry id")
    if CREATOR_NAME not in values:
        check(CREATOR_ENTRY_ID not in values, "entry id without name")
        return None
    return values[CREATOR_NAME], \
        values[CREATOR_ENTRY_ID][28:].rstrip(b"\0").decode()


def check_creator(session, fid, mid, user, what):
    """The names of others than the session's user and the owner are the
    directory's: here there's none."""
    found = creator(session, fid, mid)
    if user is None:
        check_equal(found, None, what)
        return
    check(found is not None, f"{what}: unknown")
    check(found[0] in (user, user.split("@")[0]), f"{what}: {found[0]}")
    check_equal(found[1], user_dn(user), what)


def test_author(server):
    alice, bob, carol = server.users
    fid, mid, fai = prepare(server, "Author", AUTHOR)
    give(server, "Author", AUTHOR, carol)
    session = Session(server, bob, alice)
    handle = session.folder(fid)
    check_equal(session.get_one(handle, RIGHTS), AUTHOR, "rights")
    new = session.store(fid, "by bob", named="bob's note")
    second = session.store(fid, "second by bob")
    carols = Session(server, carol, alice)
    other = carols.store(fid, "by carol")
    carols.close()
    owner = Session(server)
    for who in owner, session:
        check_creator(who, fid, new, bob, "bob's")
        check_creator(who, fid, other, carol, "carol's")
        check_creator(who, fid, mid, alice, "alice's")
        check_creator(who, fid, mid_of(who, fid, "in Author"), None,
                      "over IMAP")
    mine = (FULL_ACCESS, MODIFY_LEVEL)
    theirs = (READ_ACCESS, READ_ONLY)
    check_equal(access(session, fid), {
        "by bob": mine, "second by bob": mine, "by carol": theirs,
        "saved in Author": theirs, "in Author": theirs}, "access")
    check_equal(access(owner, fid)["by bob"], mine, "the owner's")

    # the own one: properties, content, read state, status
    tag = session.ids([NOTE])[0] << 16 | 0x1F
    message = session.open_message(new, fid)
    check_equal(session.get(message, (ACCESS, ACCESS_LEVEL))[0],
                {ACCESS: FULL_ACCESS, ACCESS_LEVEL: MODIFY_LEVEL}, "message")
    session.set(message, {tag: "changed"})
    check_equal(session.save(message), new, "same id")
    session.set(message, {SUBJECT: "changed by bob", BODY: "changed"})
    check_equal(session.save(message), new, "same id")
    check_equal(session.get_one(message, ACCESS), FULL_ACCESS, "afterwards")
    session.release(message)
    check_creator(owner, fid, new, bob, "still bob's")
    check_equal(owner.named(new, fid), "changed", "property")
    check_equal(set_status(session, handle, new), 0, "status")
    for flags, seen in (4, False), (0, True):
        check_equal(set_read(session, handle, [new], flags), (0, 0), "read")
        message = session.open_message(new, fid)
        check_equal(session.get_one(message, savelib.MESSAGE_FLAGS) & 1, seen,
                    "read state")
        session.release(message)

    # others' ones
    for theirs in mid, other, mid_of(session, fid, "in Author"):
        for mode in savelib.READ_WRITE, savelib.BEST_ACCESS:
            for values in {tag: "x"}, {SUBJECT: "x"}:
                check_equal(change(session, fid, theirs, values, mode),
                            EC_ACCESS_DENIED, "change")
        check_equal(set_status(session, handle, theirs), EC_ACCESS_DENIED,
                    "status")
        check_equal(set_read(session, handle, [theirs])[0], EC_ACCESS_DENIED,
                    "read state")
        for rop in DELETE, HARD_DELETE:
            check_equal(delete(session, handle, [theirs], rop)[0],
                        EC_ACCESS_DENIED, "delete")
    check_equal(client_rop(session, DELETE, handle, [fai]), EC_ACCESS_DENIED,
                "delete FAI")
    for rop in 0x58, 0x92:
        check_equal(session.errors(session.rop, rop, b"\0\1", [handle]),
                    EC_ACCESS_DENIED, "empty")
    # both together
    check_equal(set_read(session, handle, [mid, second], 4), (0, 1), "read")
    check_equal(delete(session, handle, [mid, second, other], HARD_DELETE),
                (0, 1), "delete")
    check_equal(delete(session, handle, [other, new]), (0, 1), "soft delete")
    check_equal(owner.subjects(fid), ["by carol", "in Author",
                                      "saved in Author"], "left")
    check_equal(owner.subjects(fid, fai=True), ["view of Author"], "FAI")
    message = owner.open_message(mid, fid)
    check_equal(owner.get_one(message, savelib.MESSAGE_FLAGS) & 1, 1,
                "alice has read it")
    owner.release(message)
    # the owner may undo it; the creator is who it was
    check_equal(deleted_messages(owner, owner.folder(fid)), 1, "deleted")
    folder = owner.folder(fid)
    check_equal(copy(session, handle, handle, new, move=True),
                EC_ACCESS_DENIED, "bob doesn't recover it")
    check_equal(copy(owner, folder, folder, new, move=True), 0, "recover")
    new = mid_of(owner, fid, "changed by bob")
    check_creator(owner, fid, new, bob, "recovered")
    check_equal(delete(session, handle, [new]), (0, 0), "delete it again")
    owner.close()
    session.close()


def test_rows(server):
    """No file is read for who has created a message, and what may be done to
    it."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Rows", AUTHOR)
    session, owner = Session(server, bob, alice), Session(server)
    for i in range(5):
        session.store(fid, f"bob {i}")
        owner.store(fid, f"alice {i}")
    owner.close()
    tags = (SUBJECT, ACCESS, ACCESS_LEVEL, CREATOR_NAME)
    wanted = sorted(
        [(f"bob {i}", FULL_ACCESS, MODIFY_LEVEL, "bob") for i in range(5)] +
        [(f"alice {i}", READ_ACCESS, READ_ONLY, "alice") for i in range(5)])

    def rows():
        session = Session(server, bob, alice)
        found = sorted(tuple(row.get(tag) for tag in tags) for row in
                       session.contents(fid, tags)
                       if "Rows" not in row[SUBJECT])
        session.close()
        return found

    for _ in range(3):
        check_equal(rows(), wanted, "rows")
    names = glob.glob(os.path.join(
        server.env["TEST_MAIL"], alice, "sdbox", "mailboxes", "**", "u.*"),
        recursive=True)
    names = [name for name in names if "/Rows/" in name or "/bags-" in name]
    check(server.format != "sdbox" or len(names) > 10, "files")
    for name in names:
        os.rename(name, name.replace("/u.", "/hidden."))
    check_equal(rows(), wanted, "rows without files")
    for name in names:
        os.rename(name.replace("/u.", "/hidden."), name)
    session.close()


def test_replaced(server):
    """A message stays its creator's whoever changes it."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Replaced", AUTHOR)
    session = Session(server, bob, alice)
    new = session.store(fid, "by bob")
    opened = session.open_message(new, fid, savelib.READ_WRITE)
    owner = Session(server)
    check_equal(change(owner, fid, new, {SUBJECT: "corrected"}), 0, "owner")
    check_creator(owner, fid, new, bob, "creator")
    session.set(opened, {SUBJECT: "by bob again"})
    check_equal(session.errors(session.save, opened),
                savelib.EC_OBJECT_MODIFIED, "conflict")
    check_equal(session.save(opened, savelib.SAVE_FORCE), new, "forced")
    check_equal(owner.subjects(fid), ["by bob again", "in Replaced",
                                      "saved in Replaced"], "subjects")
    check_creator(owner, fid, new, bob, "creator")
    session.close()
    # what bags say isn't lost with Dovecot's indexes
    owner.close()
    server.doveadm("force-resync", "-u", alice, "Replaced")
    session = Session(server, bob, alice)
    new = mid_of(session, fid, "by bob again")
    check_equal(change(session, fid, new, {SUBJECT: "at last"}), 0, "change")
    session.close()


def test_forged(server):
    """Nobody says who has created a message but the server."""
    alice, bob, carol = server.users
    fid, mid, _ = prepare(server, "Forged", AUTHOR)
    session = Session(server, bob, alice)
    message = session.create(fid)
    check_equal(session.get_one(message, CREATOR_NAME), bob.split("@")[0],
                "before it's saved")
    session.set(message, {SUBJECT: "by bob"})
    name = {CREATOR_NAME: carol, CREATOR_ENTRY_ID: b"x" * 40}
    check_equal(session.set(message, name),
                {tag: savelib.EC_COMPUTED for tag in name}, "set")
    check_equal(session.errors(session.write_stream, message,
                               CREATOR_ENTRY_ID, b"x"), EC_ACCESS_DENIED,
                "stream")
    check(session.delete(message, list(name)) != {}, "delete")
    # all properties of a message of alice's
    source = session.open_message(mid, fid)
    session.copy_to(source, message)
    session.copy_props(source, message, list(name))
    session.set(message, {SUBJECT: "by bob"})
    new = session.save(message)
    check_creator(session, fid, new, bob, "bob's")
    check_equal(session.set(message, name),
                {tag: savelib.EC_COMPUTED for tag in name}, "set")
    session.save(message)
    check_creator(session, fid, new, bob, "bob's")
    session.close()
    owner = Session(server)
    message = owner.open_message(mid, fid, savelib.READ_WRITE)
    check_equal(owner.set(message, name),
                {tag: savelib.EC_COMPUTED for tag in name}, "by the owner")
    owner.close()


def test_roles(server):
    """One of both rights, or a right that has been taken away"""
    alice, bob, _ = server.users
    fid, mid, _ = prepare(server, "Roles", NON_EDITING_AUTHOR)
    session = Session(server, bob, alice)
    handle = session.folder(fid)
    tag = session.ids([NOTE])[0] << 16 | 0x1F
    mids = [session.store(fid, f"by bob {i}") for i in range(3)]
    check_equal(access(session, fid)["by bob 0"], (6, READ_ONLY),
                "non-editing author")
    for values in {tag: "x"}, {SUBJECT: "x"}:
        check_equal(change(session, fid, mids[0], values), EC_ACCESS_DENIED,
                    "change")
    check_equal(set_status(session, handle, mids[0]), EC_ACCESS_DENIED,
                "status")
    check_equal(set_read(session, handle, mids[:1], 4), (0, 1), "read")
    check_equal(delete(session, handle, mids[:1]), (0, 0), "delete")

    # opened for writing while it may be
    give(server, "Roles", REVIEWER | EDIT_OWN)
    check_equal(access(session, fid)["by bob 1"],
                (READ_WRITE_ACCESS, MODIFY_LEVEL), "editing only")
    check_equal(session.errors(session.create, fid), EC_ACCESS_DENIED,
                "create")
    check_equal(delete(session, handle, mids[1:2])[0], EC_ACCESS_DENIED,
                "delete")
    check_equal(copy(session, handle, handle, mids[1], move=True),
                EC_ACCESS_DENIED, "move")
    check_equal(change(session, fid, mids[1], {SUBJECT: "changed", tag: "x"}),
                0, "change")
    opened = session.open_message(mids[2], fid, savelib.READ_WRITE)
    session.set(opened, {SUBJECT: "too late"})
    # the ACL remains what it is
    give(server, "Roles", REVIEWER)
    check_equal(session.errors(session.save, opened), EC_ACCESS_DENIED,
                "save")
    check_equal(change(session, fid, mids[1], {tag: "y"}), EC_ACCESS_DENIED,
                "change")
    check_equal(delete(session, handle, mids[1:])[0], EC_ACCESS_DENIED,
                "delete")
    give(server, "Roles", AUTHOR)
    check_equal(change(session, fid, mids[1], {tag: "z"}), 0, "author again")
    # changed over IMAP: what has been given by MAPI is void
    set_acl(server, "Roles", bob, "lr")
    check_equal(change(session, fid, mids[1], {tag: "y"}), EC_ACCESS_DENIED,
                "over IMAP")
    check_equal(delete(session, handle, mids[1:])[0], EC_ACCESS_DENIED,
                "over IMAP")
    set_acl(server, "Roles", bob, "lrsi")
    check_equal(set_read(session, handle, [mid], 4), (0, 0), "anybody's")
    session.close()
    owner = Session(server)
    check_equal(owner.subjects(fid), ["by bob 2", "changed", "in Roles",
                                      "saved in Roles"], "subjects")
    check_equal(owner.named(mids[1], fid), "z", "property")
    owner.close()


def test_default(server):
    """The rights of everybody, and of somebody of whom more or less is said"""
    alice, bob, carol = server.users
    fid, _, _ = prepare(server, "Default", NON_EDITING_AUTHOR)
    give(server, "Default", AUTHOR, DEFAULT)
    bobs, carols = Session(server, bob, alice), Session(server, carol, alice)
    mine, hers = bobs.store(fid, "by bob"), carols.store(fid, "by carol")
    check_equal(change(bobs, fid, mine, {SUBJECT: "x"}), EC_ACCESS_DENIED,
                "bob is named")
    check_equal(change(carols, fid, hers, {SUBJECT: "carol's"}), 0, "carol")
    for session, theirs in (bobs, hers), (carols, mine):
        check_equal(delete(session, session.folder(fid), [theirs])[0],
                    EC_ACCESS_DENIED, "the other's")
    check_equal(delete(bobs, bobs.folder(fid), [mine]), (0, 0), "bob")
    bobs.close()
    carols.close()


def test_subfolder(server):
    """A folder that is made in another one has the same list."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Publish", AUTHOR | SUBFOLDER)
    session = Session(server, bob, alice)
    check_equal(create_folder(session, session.folder(fid), "By bob"), 0,
                "create")
    client = Client(server, bob, alice)
    below = client.fids(fid)["By bob"]
    check_equal(client.rights(client.open_fid(below)[1], 0), {
        "": 0, "Anonymous": 0, bob: AUTHOR | SUBFOLDER}, "list")
    client.close()
    check_equal(session.get_one(session.folder(below), RIGHTS),
                AUTHOR | SUBFOLDER, "rights")
    mid = session.store(below, "by bob")
    check_equal(change(session, below, mid, {SUBJECT: "changed"}), 0, "change")
    check_equal(delete(session, session.folder(below), [mid]), (0, 0),
                "delete")
    session.close()


def test_new_flags(server):
    """A new message is as it was saved: the ACL's i alone gives no right to
    flags."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Flags", NON_EDITING_AUTHOR)
    session = Session(server, bob, alice)
    keywords = session.ids([KEYWORDS])[0] << 16 | 0x101F
    message = session.create(fid)
    session.set(message, {SUBJECT: "by bob", savelib.MESSAGE_FLAGS: 9,
                          savelib.FLAG_STATUS: 2, keywords: ["Red"]})
    mid = session.save(message)
    session.close()
    owner = Session(server)
    keywords = owner.ids([KEYWORDS])[0] << 16 | 0x101F
    message = owner.open_message(mid, fid)
    values = owner.get(message, (savelib.MESSAGE_FLAGS, savelib.FLAG_STATUS,
                                 keywords))[0]
    check_equal((values[savelib.MESSAGE_FLAGS] & 9, values[keywords],
                 values[savelib.FLAG_STATUS]), (9, ["Red"], 2), "flags")
    owner.close()
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("Flags", readonly=True))
        found = imap_ok(imap.uid("SEARCH", "SEEN", "DRAFT", "FLAGGED"))[0]
        check_equal(len(found.split()), 1, "IMAP flags")


def test_copies(server):
    """Who copies something is the creator of the copy, not of the original."""
    alice, bob, _ = server.users
    fid, mid, _ = prepare(server, "Copies", AUTHOR)
    source, source_mid, _ = prepare(server, "Source", REVIEWER)
    append(server, "INBOX", writelib.mail("bob's own mail"), user=bob)
    own = Session(server, bob)
    other = own.other(alice)
    folder, source_folder = other.folder(fid), other.folder(source)
    inbox = own.folder(own.inbox_id)
    mail = mid_of(own, own.inbox_id, "bob's own mail")
    check_equal(copy(own, inbox, folder, mail), 0, "from another mailbox")
    saved = own.store(own.inbox_id, "saved in bob's", named="n")
    check_equal(copy(own, inbox, folder, saved, move=True), 0,
                "moved from another mailbox")
    plain = mid_of(other, source, "in Source")
    for what in source_mid, plain:
        check_equal(copy(other, source_folder, folder, what), 0, "copy")
    # beside the original, of which there's no bag
    original = mid_of(other, fid, "in Copies")
    check_equal(copy(other, folder, folder, original), 0, "copy beside it")
    mids = {}
    for row in other.contents(fid, (MID, SUBJECT, ACCESS)):
        if row[MID] not in (mid, original):
            check_equal(row[ACCESS], FULL_ACCESS, row[SUBJECT])
            mids[row[SUBJECT]] = row[MID]
        else:
            check_equal(row[ACCESS], READ_ACCESS, row[SUBJECT])
    check_equal(sorted(mids), ["bob's own mail", "in Copies", "in Source",
                               "saved in Source", "saved in bob's"], "copies")
    check_equal(other.named(mids["saved in bob's"], fid), "n", "its bag")
    for subject, copied in mids.items():
        check_creator(other, fid, copied, bob, subject)
    for theirs in mid, original:
        check_equal(change(other, fid, theirs, {SUBJECT: "x"}),
                    EC_ACCESS_DENIED, "the original")
        check_equal(delete(other, folder, [theirs])[0], EC_ACCESS_DENIED,
                    "the original")
    check_equal(change(other, fid, mids["in Copies"], {SUBJECT: "y"}), 0,
                "the copy")
    check_equal(delete(other, folder, list(mids.values())), (0, 0), "copies")
    owner = Session(server)
    check_equal(owner.subjects(fid), ["in Copies", "saved in Copies"], "left")
    check_equal(owner.subjects(source), ["in Source", "saved in Source"],
                "source")
    owner.close()
    own.close()


def test_moved(server):
    """What is moved within the mailbox stays its creator's, by MAPI and by IMAP;
    what comes from another mailbox doesn't say who has created it."""
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Here", AUTHOR)
    dest, dest_mid, _ = prepare(server, "There", AUTHOR)
    session = Session(server, bob, alice)
    folder, dest_folder = session.folder(fid), session.folder(dest)
    for i in range(3):
        session.store(fid, f"by bob {i}")
    check_equal(copy(session, folder, dest_folder, mid_of(
        session, fid, "by bob 0"), move=True), 0, "bob moves it")
    check_equal(copy(session, dest_folder, folder, dest_mid, move=True),
                EC_ACCESS_DENIED, "bob moves another's")
    owner = Session(server)
    check_equal(copy(owner, owner.folder(fid), owner.folder(dest),
                     mid_of(owner, fid, "by bob 1"), move=True), 0,
                "alice moves it")
    server.doveadm("move", "-u", alice, "There", "mailbox", "Here", "subject",
                   "by bob 2")
    mid_of(owner, dest, "by bob 2")
    for i in range(3):
        check_equal(change(session, dest, mid_of(session, dest, f"by bob {i}"),
                           {SUBJECT: f"bob's {i}"}), 0, f"change {i}")
    owner.close()
    session.close()

    # what a bag in bob's own mailbox says isn't believed
    append(server, "Shared", writelib.mail("x"), user=bob)
    give(server, "Shared", EDITOR, alice, user=bob)
    own = Session(server, bob)
    shared = own.folder_id("Shared")
    mid = own.store(shared, "bob's, of his own mailbox")
    check_creator(own, shared, mid, bob, "in his own mailbox")
    alices = Session(server)
    others = alices.other(bob)
    check_equal(copy(others, others.folder(shared), alices.folder(dest), mid),
                0, "alice takes a copy")
    taken = mid_of(alices, dest, "bob's, of his own mailbox")
    check_creator(alices, dest, taken, None, "of nobody")
    alices.close()
    own.close()
    session = Session(server, bob, alice)
    check_equal(change(session, dest, taken, {SUBJECT: "x"}),
                EC_ACCESS_DENIED, "not bob's")
    session.close()


def test_contributor(server):
    """Without ReadAny only the own messages can be read."""
    alice, bob, _ = server.users
    fid, mid, fai = prepare(server, "Drop", CREATE | VISIBLE)
    session = Session(server, bob, alice)
    folder = session.folder(fid)
    new = session.store(fid, "by bob", named="note")
    check_equal(session.named(new, fid), "note", "the own one")
    message = session.open_message(new, fid)
    check_equal(session.get(message, (SUBJECT, ACCESS))[0],
                {SUBJECT: "by bob", ACCESS: READ_ACCESS}, "the own one")
    session.release(message)
    for theirs in mid, fai, 0x0000000100000001:
        check(session.errors(session.open_message, theirs, fid) != 0,
              "another one")
    for flags in b"\0", b"\2":
        check_equal(session.errors(session.open, 0x05, flags, folder),
                    EC_ACCESS_DENIED, "contents")
    for theirs in mid, new:
        check_equal(delete(session, folder, [theirs])[0], EC_ACCESS_DENIED,
                    "delete")
        check_equal(change(session, fid, theirs, {SUBJECT: "x"}),
                    EC_ACCESS_DENIED, "change")
    for rop in 0x58, 0x92:
        check(session.errors(session.rop, rop, b"\0\1", [folder]) != 0,
              "empty")
    give(server, "Drop", CREATE | VISIBLE | EDIT_OWN | DELETE_OWN)
    check_equal(change(session, fid, new, {SUBJECT: "changed"}), 0, "change")
    check_equal(delete(session, folder, [mid])[0], EC_ACCESS_DENIED, "delete")
    check_equal(copy(session, folder, folder, mid), EC_ACCESS_DENIED, "copy")
    for rop in 0x58, 0x92:
        check(session.errors(session.rop, rop, b"\0\1", [folder]) != 0,
              "empty")
    owner = Session(server)
    check_equal(owner.subjects(fid), ["changed", "in Drop", "saved in Drop"],
                "subjects")
    check_creator(owner, fid, new, bob, "creator")
    check_equal(delete(session, folder, [new]), (0, 0), "delete")
    check_equal(owner.subjects(fid), ["in Drop", "saved in Drop"], "subjects")
    owner.close()
    session.close()


main()
