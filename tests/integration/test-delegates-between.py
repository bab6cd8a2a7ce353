#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
# timeout: 600
# may-log: mapi.*killed with signal 9
"""Copying and moving between mailboxes: a secretary takes messages and folders from
her manager's to her own and back, if she may."""

import contextlib
import http.client
import imaplib
import json
import os
import random
import struct
import subprocess
import threading

import readlib
import rulelib
import savegen
import savelib
import writelib
from delegatelib import (
    NOTE, Session, client_rop, copy, create_folder, deleted_messages,
    open_deleted, prepare)
from permlib import (
    ADD, AUTHOR, EDIT_OWN, EDITOR, EC_ACCESS_DENIED,
    EC_NOT_SUPPORTED, FULL_OWNER, REVIEWER, Client, get_acl, set_acl)
from readlib import (
    TestFailure, append, check, check_equal, imap_ok, imap_quote, main)
from savelib import MID, SUBJECT

SEED = int(os.environ.get("SAVE_SEED", random.getrandbits(32)))
COUNT = int(os.environ.get("SAVE_COUNT", "8"))
COMMENT, CONTAINER_CLASS = 0x3004001F, 0x3613001F
CONTENTS, FAI_CONTENTS, HIERARCHY = 0x360F000D, 0x3610000D, 0x360E000D
EC_DUPLICATE_NAME, EC_DST_NULL_OBJECT = 0x80040604, 0x503
MOVE_FOLDER, COPY_FOLDER = 0x35, 0x36
SUBTREE = 3


def sessions(server):
    """Bob's mailbox, and alice's in the same session. What is called a name in
    one has another id in the other."""
    own = Session(server, server.users[1])
    own.ids([(savelib.PS_PUBLIC_STRINGS, f"of-bob-{i}") for i in range(7)])
    return own, own.other(server.users[0])


def make_folder(session, name):
    """FID of a folder, which may be there already"""
    subtree = session.folder(session.raw.logon_ids[SUBTREE])
    code = create_folder(session, subtree, name)
    check(code in (0, EC_DUPLICATE_NAME), "RopCreateFolder")
    return session.folder_id(name)


def by_subject(session, fid, fai=False):
    return {row[SUBJECT]: row[MID] for row in
            session.contents(fid, (MID, SUBJECT), fai)}


def faults(server, user):
    """What "doveadm mapi check" finds, by kind"""
    proc = subprocess.run(
        [server.env["DOVEADM"], "-f", "json", "mapi", "check", "-u", user,
         "-a", "0"], stdout=subprocess.PIPE, text=True, check=False)
    return {problem["problem"] for problem in json.loads(proc.stdout or "[]")}


def test_messages(server):
    """Copying, moving, and copying back"""
    alice, bob, _ = server.users
    fid, mid, _ = prepare(server, "Drag", EDITOR)
    own, others = sessions(server)
    dest = make_folder(own, "Dropped")
    source, target = others.folder(fid), own.folder(dest)
    check_equal(copy(others, source, target, mid), 0, "copy")
    found = by_subject(own, dest)
    check_equal(sorted(found), ["saved in Drag"], "copied")
    check_equal(own.named(found["saved in Drag"], dest), "note in Drag",
                "property of the copy")
    check_equal(others.subjects(fid), ["in Drag", "saved in Drag"], "stay")

    first = by_subject(others, fid)["in Drag"]
    for which in mid, first:
        check_equal(copy(others, source, target, which, move=True), 0, "move")
    check_equal(others.subjects(fid), [], "moved away")
    check_equal(own.subjects(dest),
                ["in Drag", "saved in Drag", "saved in Drag"], "moved here")
    for row in own.contents(dest, (MID, SUBJECT)):
        check_equal(own.named(row[MID], dest), "note in Drag" if
                    row[SUBJECT] == "saved in Drag" else None, "property")
    check_equal(writelib.subjects(server, "Drag"), [], "over IMAP")

    # and back, by a request of the own mailbox's logon
    new = own.store(dest, "new", named="by bob")
    check_equal(copy(own, target, source, new, move=True), 0, "move back")
    check_equal(others.named(by_subject(others, fid)["new"], fid), "by bob",
                "property")
    owner = Session(server)
    check_equal(owner.subjects(fid), ["new"], "the owner sees it")
    check_equal(owner.named(by_subject(owner, fid)["new"], fid), "by bob",
                "property")
    owner.close()
    # no bag is left without its message
    for user in alice, bob:
        check_equal(faults(server, user), set(), "doveadm mapi check")
    # what isn't there is no error, but told
    answer = own.raw.execute(struct.pack(
        "<BBBBHQBB", 0x33, 0, 0, 1, 1, new, 0, 0), [target, source])
    check_equal((answer.return_value(), answer.rops[-1]), (0, 1), "partial")
    # to an object that is none, or no folder
    check_equal(copy(own, target, 0xfffe, new), EC_DST_NULL_OBJECT, "none")
    check_equal(copy(own, target, others.logon, new), EC_NOT_SUPPORTED,
                "the other mailbox's logon")
    own.close()


def test_rights(server):
    alice, bob, _ = server.users
    read, mid, fai = prepare(server, "Readable", REVIEWER)
    own, others = sessions(server)
    dest = make_folder(own, "Taken")
    new = own.store(dest, "own")
    view = own.store(dest, "own view", fai=True)
    source, target = others.folder(read), own.folder(dest)
    for which in mid, fai:
        check_equal(copy(others, source, target, which), 0, "copy")
        check_equal(copy(others, source, target, which, move=True),
                    EC_ACCESS_DENIED, "move")
    # nothing more has come by what has failed
    check_equal(own.subjects(dest), ["own", "saved in Readable"], "copied")
    check_equal(own.subjects(dest, fai=True), ["own view", "view of Readable"],
                "FAI")
    for which in new, view:
        for move in False, True:
            check_equal(copy(own, target, source, which, move=move),
                        EC_ACCESS_DENIED, "into what may only be read")
    check_equal(own.subjects(dest), ["own", "saved in Readable"], "left")
    check_equal(others.subjects(read), ["in Readable", "saved in Readable"],
                "left")
    check_equal(others.subjects(read, fai=True), ["view of Readable"], "left")
    # an author may add messages, but not FAI messages, and take none away
    add, mid, _ = prepare(server, "Addable", AUTHOR)
    author = others.folder(add)
    check_equal(copy(own, target, author, new, move=True), 0, "move")
    check_equal(copy(own, target, author, view, move=True), EC_ACCESS_DENIED,
                "move FAI")
    check_equal(copy(others, author, target, mid, move=True), EC_ACCESS_DENIED,
                "move away")
    check_equal(others.subjects(add), ["in Addable", "own", "saved in Addable"],
                "moved")
    check_equal(own.subjects(dest), ["saved in Readable"], "moved")
    check_equal(own.subjects(dest, fai=True), ["own view", "view of Readable"],
                "FAI")
    # the owner of the folder may do that, too
    prepare(server, "Owned", FULL_OWNER)
    owned = others.folder_id("Owned")
    check_equal(copy(own, target, others.folder(owned), view, move=True), 0,
                "move FAI")
    check_equal(others.subjects(owned, fai=True), ["own view", "view of Owned"],
                "FAI")
    # rights that have been taken away
    set_acl(server, "Addable", bob, None)
    check(copy(others, author, target, mid) != 0, "without rights")
    check_equal(own.subjects(dest), ["saved in Readable"], "nothing came")
    own.close()


def test_copied_back(server):
    """A copy of a copy, to where the original is: each has its own properties."""
    fid, mid, _ = prepare(server, "Original", EDITOR)
    own, others = sessions(server)
    # to the other mailbox, and to another folder of the same one
    for session, name in (own, "Copies"), (others, "Copies there"):
        if session is others:
            prepare(server, name, EDITOR)
            dest = others.folder_id(name)
        else:
            dest = make_folder(own, name)
        source, target = others.folder(fid), session.folder(dest)
        check_equal(copy(others, source, target, mid), 0, "copy")
        new = by_subject(session, dest)["saved in Original"]
        message = session.open_message(new, dest, savelib.READ_WRITE)
        tag = session.ids([NOTE])[0] << 16 | 0x1F
        session.set(message, {tag: "of the copy in " + name})
        session.save(message)
        session.release(message)
        check_equal(others.named(mid, fid), "note in Original", "original")
        check_equal(copy(session, target, source, new), 0, "copy back")
        check_equal(others.named(mid, fid), "note in Original", "original")
    notes = [others.named(row[MID], fid) for row in
             others.contents(fid, (MID, SUBJECT))
             if row[SUBJECT] == "saved in Original"]
    check_equal(sorted(notes), [
        "note in Original", "of the copy in Copies",
        "of the copy in Copies there"], "all of them")
    own.close()


def test_recover(server):
    """What has been deleted in one mailbox comes back in another."""
    fid, mid, _ = prepare(server, "Trashed", EDITOR)
    own, others = sessions(server)
    dest = make_folder(own, "Recovered")
    source, target = others.folder(fid), own.folder(dest)
    check_equal(client_rop(others, 0x1E, source, [mid]), 0, "delete")
    check_equal(deleted_messages(others, source), 1, "deleted")
    check_equal(copy(others, source, target, mid), 0, "copy")
    check_equal(deleted_messages(others, source), 1, "still there")
    check_equal(copy(others, source, target, mid, move=True), 0, "move")
    check_equal(deleted_messages(others, source), 0, "recovered")
    rows = own.contents(dest, (MID, SUBJECT))
    check_equal([own.named(row[MID], dest) for row in rows],
                ["note in Trashed"] * 2, "properties")
    own.close()


def test_objects(server):
    """RopCopyTo and RopCopyProperties"""
    print(f"     SAVE_SEED={SEED}")
    fid, mid, _ = prepare(server, "Objects", EDITOR)
    own, others = sessions(server)
    dest = make_folder(own, "Copied objects")
    for i in range(COUNT):
        what = f"SAVE_SEED={SEED + i} SAVE_COUNT=1"
        wanted = savegen.Generator(SEED + i).message()
        source = others.create(fid)
        savegen.write(others, source, wanted)
        others.save(source)
        copied = own.create(dest)
        check_equal(others.copy_to(source, copied), {}, what)
        savegen.compare(own, copied, wanted, what)
        new = own.save(copied)
        own.release(copied)
        copied = own.open_message(new, dest)
        savegen.compare(own, copied, wanted, what + ", saved", new, dest)
        own.release(copied)
        others.release(source)
    # one named property alone
    names = [NOTE]
    tag = others.ids(names)[0] << 16 | 0x1F
    own_tag = own.ids(names)[0] << 16 | 0x1F
    check(tag != own_tag, "the ids differ")
    source, copied = others.open_message(mid, fid), own.create(dest)
    check_equal(others.copy_props(source, copied, [tag, SUBJECT]), {}, "copy")
    check_equal(own.get_one(copied, own_tag), "note in Objects", "copied")
    own.set(copied, {own_tag: "another"})
    check_equal(others.copy_props(source, copied, [tag], flags=2), {},
                "without overwriting")
    check_equal(own.get_one(copied, own_tag), "another", "not overwritten")
    # to the other's mailbox by what may only be read
    reader = others.open_message(mid, fid, savelib.READ_ONLY)
    check(own.errors(own.copy_props, copied, reader, [own_tag]) != 0,
          "read-only")
    # a message is no folder
    check_equal(own.errors(own.copy_to, copied, others.folder(fid)),
                EC_NOT_SUPPORTED, "to a folder")
    own.close()


def on_folder(session, rop, parent, dest, fid, name, recursive=True):
    """(ReturnValue, PartialCompletion) of RopMoveFolder, RopCopyFolder"""
    text = name.encode("utf-16le") + b"\0\0"
    flags = b"\0\1" if rop == MOVE_FOLDER else bytes([0, recursive, 1])
    answer = session.raw.execute(bytes([rop, 0, 0, 1]) + flags + fid + text,
                                 [parent, dest])
    return answer.return_value(), answer.rops[-1]


def fids(session, parent=None):
    """{name: FID}"""
    folder = session.folder(parent or session.raw.logon_ids[SUBTREE])
    table, _ = session.open(0x04, b"\0", folder)
    return {row[savelib.DISPLAY_NAME]: struct.pack("<q", row[0x67480014])
            for row in session.rows(table, (0x67480014, savelib.DISPLAY_NAME))}


def test_folders(server):
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, "Project", FULL_OWNER)
    owner = Session(server)
    create_folder(owner, owner.folder(fid), "Part")
    part = fids(owner, fid)["Part"]
    owner.store(part, "in Part", named="note in Part")
    owner.set(owner.folder(part), {COMMENT: "a part",
                                   CONTAINER_CLASS: "IPF.Contact"})
    owner.close()
    own, others = sessions(server)
    subtree = own.folder(own.raw.logon_ids[SUBTREE])
    theirs = others.folder(others.raw.logon_ids[SUBTREE])

    def check_copy(session, root, name):
        top = fids(session, root)[name]
        found = by_subject(session, top)
        check_equal(sorted(found), ["in Project", "saved in Project"], name)
        check_equal(session.named(found["saved in Project"], top),
                    "note in Project", name)
        check_equal(session.subjects(top, fai=True), ["view of Project"], name)
        below = fids(session, top)
        check_equal(sorted(below), ["Part"], name)
        found = by_subject(session, below["Part"])
        check_equal(session.named(found["in Part"], below["Part"]),
                    "note in Part", name)
        handle = session.folder(below["Part"])
        check_equal((session.get_one(handle, COMMENT),
                     session.get_one(handle, CONTAINER_CLASS)),
                    ("a part", "IPF.Contact"), name)
        return top

    check_equal(on_folder(others, COPY_FOLDER, theirs, subtree, fid, "Mine"),
                (0, 0), "copy")
    check_copy(own, None, "Mine")
    check_copy(others, None, "Project")
    check_equal(on_folder(others, COPY_FOLDER, theirs, subtree, fid, "Mine"),
                (EC_DUPLICATE_NAME, 0), "once more")
    check_equal(on_folder(others, COPY_FOLDER, theirs, subtree, fid, "Top",
                          False), (0, 0), "copy without subfolders")
    check_equal(fids(own, fids(own)["Top"]), {}, "subfolders")
    # within the other's mailbox
    check_equal(on_folder(others, COPY_FOLDER, theirs, others.folder(fid),
                          part, "Other part"), (0, 0), "copy there")
    other_part = fids(others, fid)["Other part"]
    check_equal(others.subjects(other_part), ["in Part"], "copied there")
    check_equal(on_folder(others, MOVE_FOLDER, theirs, subtree, other_part,
                          ""), (0, 0), "move with its name")
    check_equal(own.subjects(fids(own)["Other part"]), ["in Part"], "moved")
    check_equal(sorted(fids(others, fid)), ["Part"], "gone there")

    check_equal(on_folder(others, MOVE_FOLDER, theirs, subtree, fid, "Moved"),
                (0, 0), "move")
    check_equal("Project" in fids(others), False, "moved away")
    moved = check_copy(own, None, "Moved")
    owner = Session(server)
    check_equal("Project" in fids(owner), False, "gone for the owner")
    owner.close()
    # and back
    prepare(server, "Place", FULL_OWNER)
    place = others.folder_id("Place")
    # what was deleted from it before stays where it is looked for
    mid = own.store(moved, "dropped")
    check_equal(client_rop(own, writelib.DELETE, own.folder(moved), [mid]), 0,
                "delete")
    check_equal(on_folder(own, MOVE_FOLDER, subtree, others.folder(place),
                          moved, "Project"), (0, 0), "move back")
    check_copy(others, place, "Project")
    check_equal("Moved" in fids(own), False, "moved back")
    trash = own.raw.logon_ids[7]
    check_equal((deleted_messages(own, own.folder(trash)),
                 open_deleted(own, trash, mid)), (1, 0), "deleted before")

    # PidTagContainerContents etc. of RopCopyTo
    dest = make_folder(own, "By RopCopyTo")
    project = fids(others, place)["Project"]
    check_equal(others.copy_to(others.folder(project), own.folder(dest),
                               [savelib.DISPLAY_NAME]), {}, "RopCopyTo")
    check_copy(own, None, "By RopCopyTo")
    own.close()


def test_folder_names(server):
    """Folders whose names mailboxes can't have"""
    fid, _, _ = prepare(server, "Names", FULL_OWNER)
    names = {"a/b", "a_b", "a-b", "a b", "a:b", "a*b", "a%b", "A.b", ".", "ab/"}
    owner = Session(server)
    for name in names:
        check_equal(create_folder(owner, owner.folder(fid), name), 0, name)
    owner.close()
    own, others = sessions(server)
    for rop in COPY_FOLDER, MOVE_FOLDER:
        check_equal(on_folder(
            others, rop, others.folder(others.raw.logon_ids[SUBTREE]),
            own.folder(own.raw.logon_ids[SUBTREE]), fid, f"Named {rop}"),
            (0, 0), "RopCopyFolder, RopMoveFolder")
        check_equal(set(fids(own, fids(own)[f"Named {rop}"])), names, "names")
    own.close()


def test_folder_rights(server):
    _, bob, _ = server.users
    fid, _, _ = prepare(server, "Kept", EDITOR)
    closed, _, _ = prepare(server, "Closed", REVIEWER)
    own, others = sessions(server)
    subtree = own.folder(own.raw.logon_ids[SUBTREE])
    theirs = others.folder(others.raw.logon_ids[SUBTREE])
    # an editor of the messages doesn't own the folder
    check_equal(on_folder(others, MOVE_FOLDER, theirs, subtree, fid, ""),
                (EC_ACCESS_DENIED, 0), "move")
    check_equal("Kept" in fids(own), False, "nothing has been made")
    mine = make_folder(own, "Mine alone")
    own.store(mine, "mine")
    for dest in theirs, others.folder(closed):
        for rop in MOVE_FOLDER, COPY_FOLDER:
            check_equal(on_folder(own, rop, subtree, dest, mine, ""),
                        (EC_ACCESS_DENIED, 0), "into another's")
    check_equal(own.subjects(mine), ["mine"], "left")
    # special folders, and what isn't one folder
    inbox = own.inbox_id
    prepare(server, "Mine to give", FULL_OWNER)
    given = others.folder(others.folder_id("Mine to give"))
    check_equal(on_folder(own, MOVE_FOLDER, subtree, given, inbox, "x"),
                (EC_ACCESS_DENIED, 0), "move the Inbox")
    check_equal(on_folder(own, COPY_FOLDER, subtree, given,
                          own.raw.logon_ids[SUBTREE], "x"),
                (EC_NOT_SUPPORTED, 0), "copy everything")
    # what may be moved, but for what is below it
    check_equal(create_folder(others, given, "Secret"), 0, "create")
    set_acl(server, "Mine to give/Secret", bob, "lr")
    given_fid = others.folder_id("Mine to give")
    check_equal(on_folder(others, MOVE_FOLDER, theirs, subtree, given_fid, ""),
                (EC_ACCESS_DENIED, 0), "move with subfolders")
    check_equal("Mine to give" in fids(own), False, "nothing has been made")
    check_equal(others.subjects(given_fid), [
        "in Mine to give", "saved in Mine to give"], "left")
    # a copy has what may be read
    set_acl(server, "Mine to give/Secret", bob, "l")
    check_equal(on_folder(others, COPY_FOLDER, theirs, subtree, given_fid, ""),
                (EC_ACCESS_DENIED, 1), "copy with subfolders")
    copied = fids(own)["Mine to give"]
    check_equal(own.subjects(copied), ["in Mine to give",
                                       "saved in Mine to give"], "copied")
    check_equal(fids(own, copied), {}, "not copied")
    own.close()


def rule_states(server, user, fid):
    """{name: PidTagRuleState} of a folder's rules"""
    client = rulelib.Client(server, user)
    rows = client.small(folder=client.raw.open_folder(client.logon, fid))
    client.close()
    return {row[rulelib.NAME]: row[rulelib.STATE] for row in rows}


def folder_rights(server, user, fid):
    """{name: rights} of a folder's permissions list"""
    client = Client(server, user)
    rights = client.rights(client.open_fid(fid)[1])
    client.close()
    return {name: value for name, value in rights.items()
            if name not in ("", "Anonymous")}


def test_folder_belongings(server):
    """Properties, rules and permissions"""
    alice, bob, carol = server.users
    fid, _, _ = prepare(server, "Estate", FULL_OWNER)
    prepare(server, "Garden", FULL_OWNER)
    set_acl(server, "Garden", carol, "lr")
    client = Client(server)
    check_equal(client.modify(client.open_fid(fid)[1], (ADD, carol, AUTHOR)), 0,
                "rights of carol")
    client.close()
    listed = folder_rights(server, alice, fid)
    carols = next(rights for name, rights in listed.items() if "carol" in name)
    check(carols & EDIT_OWN, "rights that no ACL says")
    owner = Session(server)
    tag = owner.ids([NOTE])[0] << 16 | 0x1F
    notes = {tag: "note of Estate " * 500, COMMENT: "an estate"}
    owner.set(owner.folder(fid), notes)
    owner.close()
    rules = rulelib.Client(server)
    eid = b"\1" + fid + bytes(12)
    here = rulelib.actions((1, 0, 0, struct.pack("<BHH", 1, 0, len(eid)) + eid))
    rules.add(rulelib.rule("deletes"), rulelib.rule("moves", acts=here),
              folder=rules.raw.open_folder(rules.logon, fid))
    rules.close()

    own, others = sessions(server)
    subtree = own.folder(own.raw.logon_ids[SUBTREE])
    theirs = others.folder(others.raw.logon_ids[SUBTREE])

    def check_notes(session, fid):
        tag = session.ids([NOTE])[0] << 16 | 0x1F
        handle = session.folder(fid)
        check_equal((session.get_one(handle, tag),
                     session.get_one(handle, COMMENT)),
                    tuple(notes.values()), "properties")

    check_equal(on_folder(others, COPY_FOLDER, theirs, subtree, fid, "Copied"),
                (0, 0), "copy")
    check_equal(on_folder(others, MOVE_FOLDER, theirs, subtree, fid, "Moved"),
                (0, 0), "move")
    for name in "Copied", "Moved":
        copied = fids(own)[name]
        check_notes(own, copied)
        # ST_ENABLED; the folder that it names is another one's here: ST_ERROR
        check_equal(rule_states(server, bob, copied),
                    {"deletes": 1, "moves": 2}, "rules of " + name)
    # permissions are those of a new folder, or go along
    check_equal(folder_rights(server, bob, fids(own)["Copied"]), {},
                "of the copy")
    check_equal(list(folder_rights(server, bob, fids(own)["Moved"]).values()),
                [carols], "of what was moved")

    # into a folder whose permissions new ones get
    garden = others.folder(others.folder_id("Garden"))
    for rop, name in (COPY_FOLDER, "Copied"), (MOVE_FOLDER, "Moved"):
        check_equal(on_folder(own, rop, subtree, garden, fids(own)["Moved"],
                              name), (0, 0), "to the garden")
        there = fids(others, others.folder_id("Garden"))[name]
        check_notes(others, there)
        rights = folder_rights(server, alice, there)
        wanted = folder_rights(server, alice, others.folder_id("Garden"))
        if rop == MOVE_FOLDER:
            wanted[carol] = carols
        check_equal(rights, wanted, name)
    check_equal("Moved" in fids(own), False, "moved away")
    # the owner's own copies, too
    owner = Session(server)
    parent = owner.folder_id("Garden")
    there = fids(owner, parent)["Copied"]
    handle = owner.folder(parent)
    check_equal(on_folder(owner, COPY_FOLDER, handle, handle, there, "Own"),
                (0, 0), "copy there")
    check_equal(get_acl(server, "Garden/Own"), get_acl(server, "Garden"),
                "permissions")
    owner.close()
    own.close()
    for user in alice, bob:
        check_equal(faults(server, user), set(), "doveadm mapi check")


def imap_appends(server, mailbox, done, acknowledged):
    """Has an IMAP client add messages, until it's told that there's no such mailbox
    any more. acknowledged: subjects of those that are there"""
    with contextlib.suppress(imaplib.IMAP4.error, TestFailure, OSError), \
            readlib.imap_session(server) as imap:
        for i in range(1000):
            if done.is_set():
                break
            imap_ok(imap.append(imap_quote(mailbox), None, None,
                                writelib.mail(f"added {i}")))
            acknowledged.append(f"added {i}")


def imap_subjects(server, mailbox, user):
    with readlib.imap_session(server, user) as imap:
        exists = imap.select(imap_quote(mailbox), readonly=True)[0] == "OK"
    return writelib.subjects(server, mailbox, user) if exists else []


def test_folder_additions(server):
    """What others add while a folder is moved isn't lost."""
    alice, bob, _ = server.users
    for i in range(3):
        name = f"Busy {i}"
        fid, _, _ = prepare(server, name, FULL_OWNER)
        for j in range(40):
            append(server, name, writelib.mail(f"old {j}"))
        own, others = sessions(server)
        done, acknowledged = threading.Event(), []
        thread = threading.Thread(target=imap_appends, args=(
            server, name, done, acknowledged))
        thread.start()
        try:
            readlib.wait_for("additions", lambda: len(acknowledged) > 5)
            error, partial = on_folder(
                others, MOVE_FOLDER,
                others.folder(others.raw.logon_ids[SUBTREE]),
                own.folder(own.raw.logon_ids[SUBTREE]), fid, "")
        finally:
            done.set()
            thread.join()
        own.close()
        print(f"     {len(acknowledged)} added, partial {partial}")
        check_equal(error, 0, "move")
        left = imap_subjects(server, name, alice)
        check(partial or not left, f"left without a word: {left}")
        moved = imap_subjects(server, name, bob)
        check_equal(set(acknowledged) - set(left) - set(moved), set(), "lost")
        check_equal({f"old {j}" for j in range(40)} - set(moved), set(),
                    "not moved")


def test_killed(server):
    """The worker dies while it moves: each message is there, whole, and what was
    acknowledged is where it was to be."""
    killed(server, "Killed", EDITOR)


def test_killed_own(server):
    """The same with messages that are the user's own there"""
    killed(server, "Killed own", AUTHOR, server.users[1])


def killed(server, folder, rights, creator=None):
    alice, bob, _ = server.users
    fid, _, _ = prepare(server, folder, rights)
    names = [f"killed {i}" for i in range(12)]
    owner = Session(server, creator, alice if creator else None)
    for name in names:
        owner.store(fid, name, named="note of " + name)
    names = owner.subjects(fid)
    owner.close()
    own, others = sessions(server)
    dest = make_folder(own, "Survivors of " + folder)
    own.close()
    deaths = 0
    for i in range(10):
        own, others = sessions(server)
        here, there = (others, fid), (own, dest)
        if i % 2 == 1:
            here, there = there, here
        found = [row for row in here[0].contents(here[1], (MID, SUBJECT))
                 if creator is None or row[SUBJECT].startswith("killed")]
        thread = threading.Timer(random.uniform(0.0, 0.06),
                                 readlib.kill_workers, (server,))
        thread.start()
        done = False
        try:
            answer = here[0].raw.execute(struct.pack(
                f"<BBBBH{len(found)}QBB", 0x33, 0, 0, 1, len(found),
                *(row[MID] for row in found), 0, 0),
                [here[0].folder(here[1]), there[0].folder(there[1])])
            done = answer.code == 0 and answer.return_value() == 0
        except (TestFailure, ValueError, OSError, struct.error, IndexError,
                http.client.HTTPException, savelib.Error):
            pass
        deaths += not done
        thread.join()
        own.close()
        # Dovecot mends what it finds half written: sessions begin anew
        moved, left = readlib.in_the_end(
            server, lambda there=there, here=here: look(server, there, here,
                                                        fid),
            (TestFailure, ValueError, OSError, savelib.Error,
             http.client.HTTPException))
        check_equal(sorted(set(moved) | set(left)), names,
                    "messages in either")
        if done:
            check({row[SUBJECT] for row in found} <= set(moved),
                  "acknowledged, but not there")
    print(f"     {deaths} deaths")


def look(server, there, here, fid):
    """The subjects of the messages that have all that they had. A Maildir's GUIDs
    are in its dovecot-uidlist: a process that dies before that's written leaves one
    more message, by which its bag isn't found."""
    own, others = sessions(server)
    result = []
    try:
        for _, folder in there, here:
            session = others if folder == fid else own
            found = []
            for row in session.contents(folder, (MID, SUBJECT)):
                note = session.named(row[MID], folder)
                if note == "note of " + row[SUBJECT] or \
                        not row[SUBJECT].startswith("killed"):
                    found.append(row[SUBJECT])
                else:
                    check(server.format == "maildir" and note is None,
                          f"{row[SUBJECT]} says {note}")
            result.append(found)
    finally:
        own.close()
    return result


main()
