#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: soft-delete.conf
# timeout: 400
"""A folder that a MAPI client deletes can be listed, read and recovered for some time
with all that is in it, and nothing of it is seen over IMAP."""

import imaplib
import os
import subprocess

import rawmapi
import readlib
from editlib import (
    BODY, CLASS, DEEP, DELETED_ITEMS, IPM_SUBTREE, NAME, OPEN_SOFT_DELETED,
    SOFT_DELETES, SUBJECT, Editor, RopError)
from readlib import append, check, check_equal, wait_for
from writelib import EC_NOT_FOUND, EC_OBJECT_DELETED, mail, subjects

EC_ACCESS_DENIED, EC_DUPLICATE_NAME = 0x80070005, 0x80040604
COMMENT, FID = 0x3004001F, 0x67480014
PARENT_FID, DELETED_ON, MODIFIED = 0x67490014, 0x668F0040, 0x30080040
SUBFOLDERS, CONTENT_COUNT, FOLDER_COUNT = 0x360A000B, 0x36020003, 0x66410003
MESSAGE_COUNT = 0x66400003


def error(func, *args, **kwargs):
    """The code that a ROP fails with, or 0"""
    try:
        func(*args, **kwargs)
    except RopError as exc:
        return exc.code
    return 0


def number(fid):
    """of a folder, from its FID"""
    return int.from_bytes(fid[2:], "big")


def make(server, name):
    """A folder with a message of others and one of its own, an FAI message, a deleted
    message and a comment; "Below" of that name with the same. {name: (FID, MIDs)}"""
    made = {}
    for mailbox in (name, f"{name}/Below"):
        append(server, mailbox, mail(f"native in {mailbox}"))
    editor = Editor(server)
    for mailbox in (name, f"{name}/Below"):
        leaf = mailbox.rpartition("/")[2]
        fid = editor.folders()[leaf] if leaf == name else \
            editor.children(made[name][0])[leaf]
        editor.create(fid, {CLASS: "IPM.Note", SUBJECT: f"made in {mailbox}",
                            BODY: "text", editor.named("Of mine") << 16 | 0x1F:
                            f"value in {mailbox}"})
        editor.create(fid, {CLASS: "IPM.Configuration.X",
                            SUBJECT: f"view of {mailbox}"}, associated=True)
        mid = editor.create(fid, {CLASS: "IPM.Note",
                                  SUBJECT: f"dropped in {mailbox}"})
        editor.delete(fid, [mid])
        editor.set(editor.open(fid), {COMMENT: f"comment on {mailbox}"})
        made[leaf] = fid, editor.messages(fid)
    editor.close()
    return made


def check_made(server, editor, name, made, shown=None, deleted=True):
    """All of it is there, where fid is the folder's id; shown is what it's called."""
    shown = shown or name
    for leaf, mailbox in ((name, name), ("Below", f"{name}/Below")):
        fid, mids = made[leaf]
        check_equal(editor.messages(fid), mids, f"messages of {mailbox}")
        tag = editor.named("Of mine") << 16 | 0x1F
        values = [editor.read(fid, mid, [SUBJECT, tag], deleted=True)
                  for mid in mids]
        check_equal(values, [
            {SUBJECT: f"native in {mailbox}", tag: None},
            {SUBJECT: f"made in {mailbox}", tag: f"value in {mailbox}"}],
            mailbox)
        check_equal(len(editor.messages(fid, associated=True)), 1,
                    f"FAI messages of {mailbox}")
        check_equal([editor.read(fid, mid, [SUBJECT], deleted=True)[SUBJECT]
                     for mid in editor.messages(fid, deleted=True)],
                    [f"dropped in {mailbox}"] if deleted else [],
                    f"deleted in {mailbox}")
        props = editor.get(editor.open(fid), [NAME, COMMENT])
        check_equal(props, {NAME: shown if leaf == name else leaf,
                            COMMENT: f"comment on {mailbox}"}, mailbox)


def listed(server, command="list"):
    with readlib.imap_session(server) as imap:
        return sorted(line.decode().rpartition(' "/" ')[2].strip('"')
                      for line in readlib.imap_ok(getattr(imap, command)()))


def faults(server):
    proc = subprocess.run(
        [server.env["DOVEADM"], "mapi", "check", "-u", server.users[0], "-a",
         "0"], stdout=subprocess.PIPE, text=True, check=False)
    return proc.stdout if proc.returncode != 0 else ""


def companions(server, fid):
    """Mailboxes of the companion tree that belong to a folder"""
    out = server.doveadm("mailbox", "list", "-u", server.users[0],
                         "mapi-internal/*")
    return [name for name in out.split() if name.endswith(f"-{number(fid)}")]


# --- ------------------------------------------------------------------------

def test_recover(server):
    made = make(server, "Top")
    top, below = made["Top"][0], made["Below"][0]
    editor = Editor(server)
    tree = editor.special(IPM_SUBTREE)
    check_equal(editor.children(tree, SOFT_DELETES), {}, "nothing deleted")
    editor.delete_folder(tree, top)
    check("Top" not in editor.children(tree), "it's gone")
    names = listed(server) + listed(server, "lsub")
    check_equal([n for n in names if "Top" in n or "internal" in n], [],
                "over IMAP")
    check_equal(faults(server), "", "doveadm mapi check")
    editor.close()

    # whoever asks for it
    editor = Editor(server)
    check_equal(editor.children(tree, SOFT_DELETES), {"Top": top}, "deleted")
    check_equal(editor.children(tree, SOFT_DELETES | DEEP),
                {"Top": top, "Below": below}, "all that is")
    check_equal(error(editor.open, top), EC_NOT_FOUND, "without the flag")
    check_equal(error(editor.open, below), EC_NOT_FOUND, "without the flag")
    handle = editor.open(top, OPEN_SOFT_DELETED)
    editor.open(below, OPEN_SOFT_DELETED)
    props = editor.get(handle, [FID, PARENT_FID, DELETED_ON, MODIFIED,
                                SUBFOLDERS, CONTENT_COUNT])
    check(props[DELETED_ON] > 0, "PidTagDeletedOn")
    check_equal(props[MODIFIED], props[DELETED_ON],
                "PidTagLastModificationTime")
    check_equal((props[PARENT_FID], props[SUBFOLDERS], props[CONTENT_COUNT]),
                (int.from_bytes(tree, "little"), 1, 2), "properties")
    check_equal(editor.get(editor.open(tree), [DELETED_ON, FOLDER_COUNT]),
                {DELETED_ON: None, FOLDER_COUNT: 1}, "of its parent")
    for flags in (0, SOFT_DELETES):
        check_equal(editor.children(top, flags), {"Below": below}, "in it")
    check_made(server, editor, "Top", made)
    mid = made["Top"][1][0]
    check_equal(error(editor.read, top, mid, [SUBJECT]), EC_NOT_FOUND,
                "a message without the flag")
    check_equal(editor.read(top, mid, [DELETED_ON], deleted=True),
                {DELETED_ON: props[DELETED_ON]}, "PidTagDeletedOn")

    # nothing can be done in it
    check_equal(error(editor.create, top, {SUBJECT: "x"}), EC_OBJECT_DELETED,
                "a new message")
    check_equal(error(editor.create_folder, top, "New"), EC_OBJECT_DELETED,
                "a new folder")
    check_equal(error(editor.set, handle, {COMMENT: "x"}), EC_OBJECT_DELETED,
                "a property")
    check_equal(error(editor.delete_folder, tree, top), EC_NOT_FOUND,
                "once more")
    check_equal(error(editor.move_folder, tree, top, top, "Itself"),
                EC_OBJECT_DELETED, "into itself")

    # its name is free
    other = editor.create_folder(tree, "Top")
    check(other != top, "another folder has its id")
    check_equal(error(editor.move_folder, tree, tree, top, ""),
                EC_DUPLICATE_NAME, "recover to a name that is taken")
    editor.move_folder(tree, tree, top, "Back/again")
    check_equal(editor.children(tree, SOFT_DELETES), {}, "nothing deleted")
    check_equal(editor.children(tree)["Back/again"], top, "recovered")
    check_equal(editor.children(top), {"Below": below}, "in it")
    check_made(server, editor, "Top", made, "Back/again")
    editor.close()
    editor = Editor(server)
    check_made(server, editor, "Top", made, "Back/again")
    check_equal(editor.get(editor.open(top), [DELETED_ON]),
                {DELETED_ON: None}, "PidTagDeletedOn")
    # and again
    editor.delete_folder(tree, top)
    check_equal(editor.children(tree, SOFT_DELETES), {"Back/again": top},
                "deleted again")
    editor.move_folder(tree, tree, top, "Recovered")
    editor.close()
    names = [n for n in listed(server) if n.startswith("Recovered")]
    check_equal(names, ["Recovered", "Recovered/Below"], "over IMAP")
    check_equal([n for n in listed(server, "lsub")
                 if n.startswith("Recovered")], names, "subscribed")
    check_equal(subjects(server, "Recovered/Below"),
                ["made in Top/Below", "native in Top/Below"], "over IMAP")
    check_equal(faults(server), "", "doveadm mapi check")


def test_messages(server):
    """Single messages of a folder that is deleted"""
    made = make(server, "Single")
    fid, (native, own) = made["Single"]
    editor = Editor(server)
    tree, inbox = editor.special(IPM_SUBTREE), editor.special(4)
    trash = editor.special(DELETED_ITEMS)
    before = set(editor.messages(trash, deleted=True))
    editor.delete_folder(tree, fid)
    editor.open(fid, OPEN_SOFT_DELETED)
    # in Deleted Items, too
    shown = set(editor.messages(trash, deleted=True)) - before
    check_equal(len(shown), 6, "shown in Deleted Items")
    check(shown >= {native, own}, "messages that were in it")
    count = editor.get(editor.open(trash), [MESSAGE_COUNT])[MESSAGE_COUNT]
    check_equal(count, len(shown | before), "PidTagDeletedMessageCount")
    check_equal(editor.read(trash, own, [SUBJECT], deleted=True)[SUBJECT],
                "made in Single", "opened there")
    editor.move(fid, inbox, [native], copy=True)
    check("native in Single" in subjects(server, "INBOX"), "copied")
    editor.move(trash, inbox, [native])
    check_equal(subjects(server, "INBOX").count("native in Single"), 2,
                "moved")
    check_equal(editor.messages(fid), [own], "left")
    editor.move(fid, inbox, [own])
    check("made in Single" in subjects(server, "INBOX"), "moved")
    check_equal(editor.messages(fid), [], "left")
    # those of others, for good
    rest = set(editor.messages(trash, deleted=True)) & shown
    check_equal(len(rest), 4, "left in Deleted Items")
    editor.on_mids("RopHardDeleteMessages", 0x91, [editor.open(trash)],
                   sorted(rest), head=b"\0\1")
    check_equal(set(editor.messages(trash, deleted=True)) & shown, set(),
                "purged")
    # the folders are still there
    editor.move_folder(tree, tree, fid, "")
    check_equal(editor.messages(fid), [], "an empty folder")
    check_equal(list(editor.children(fid)), ["Below"], "and one in it")
    editor.close()
    check_equal(faults(server), "", "doveadm mapi check")


def test_copy(server):
    made = make(server, "Original")
    editor = Editor(server)
    tree, fid = editor.special(IPM_SUBTREE), made["Original"][0]
    editor.delete_folder(tree, fid)
    editor.copy_folder(tree, tree, fid, "A copy")
    copied = editor.children(tree)["A copy"]
    check_equal([editor.read(copied, mid, [SUBJECT])[SUBJECT]
                 for mid in editor.messages(copied)],
                ["native in Original", "made in Original"], "copied")
    check_equal(list(editor.children(copied)), ["Below"], "with what is in it")
    check("Original" in editor.children(tree, SOFT_DELETES), "still deleted")
    editor.open(fid, OPEN_SOFT_DELETED)
    editor.open(made["Below"][0], OPEN_SOFT_DELETED)
    check_made(server, editor, "Original", made)
    editor.close()


def test_purge(server):
    made = make(server, "Purged")
    top, below = made["Purged"][0], made["Below"][0]
    editor = Editor(server)
    tree = editor.special(IPM_SUBTREE)
    editor.delete_folder(tree, top)
    check(len(companions(server, below)) >= 5, "what belongs to it")
    # only if it has nothing in it
    answer = editor.rop("RopDeleteFolder", bytes([0x1D, 0, 0, 0x11]) + top,
                        [editor.open(tree)])
    check_equal(answer.rops[6], 1, "PartialCompletion")
    check("Purged" in editor.children(tree, SOFT_DELETES), "still there")
    editor.delete_folder(tree, top, hard=True)
    check("Purged" not in editor.children(tree, SOFT_DELETES), "purged")
    check_equal(error(editor.open, below, OPEN_SOFT_DELETED), EC_NOT_FOUND,
                "what was in it")
    check_equal((companions(server, top), companions(server, below)), ([], []),
                "left")
    check_equal(error(editor.delete_folder, tree, top, hard=True),
                EC_NOT_FOUND, "once more")

    # at once
    made = make(server, "Hard")
    editor.delete_folder(tree, made["Hard"][0], hard=True)
    check("Hard" not in editor.children(tree, SOFT_DELETES), "not kept")
    check_equal(companions(server, made["Below"][0]), [], "left")
    # with what had been deleted in it before
    made = make(server, "Half")
    editor.delete_folder(made["Half"][0], made["Below"][0])
    check_equal(list(editor.children(made["Half"][0], SOFT_DELETES)), ["Below"],
                "deleted in it")
    editor.delete_folder(tree, made["Half"][0], hard=True)
    check_equal(companions(server, made["Below"][0]), [], "left")
    editor.close()
    check_equal(faults(server), "", "doveadm mapi check")


def test_empty(server):
    """Deleted Items is emptied: that's how most folders are deleted."""
    append(server, "Trash/Old", mail("old"))
    append(server, "Trash/Parent/Child", mail("child"))
    editor = Editor(server)
    trash, tree = editor.special(DELETED_ITEMS), editor.special(IPM_SUBTREE)
    editor.empty_folder(trash)
    check_equal(editor.children(trash), {}, "emptied")
    deleted = editor.children(trash, SOFT_DELETES)
    check_equal(sorted(deleted), ["Old", "Parent"], "deleted")
    # which was only a name
    editor.move_folder(trash, tree, deleted["Parent"], "")
    parent = editor.children(tree)["Parent"]
    check_equal(parent, deleted["Parent"], "recovered")
    check_equal(list(editor.children(parent)), ["Child"], "what is in it")
    check_equal(subjects(server, "Parent/Child"), ["child"], "recovered")
    editor.purge_folder(trash)
    check_equal(editor.children(trash, SOFT_DELETES), {}, "purged")
    check_equal(companions(server, deleted["Old"]), [], "left")
    # what was deleted with another folder than its parent is listed there
    editor.delete_folder(parent, editor.children(parent)["Child"])
    editor.delete_folder(tree, parent)
    check_equal(list(editor.children(tree, SOFT_DELETES)).count("Parent"), 1,
                "deleted")
    editor.open(parent, OPEN_SOFT_DELETED)
    check_equal((list(editor.children(parent)),
                 list(editor.children(parent, SOFT_DELETES))), ([], ["Child"]),
                "deleted before")
    editor.move_folder(tree, tree, parent, "")
    check_equal((list(editor.children(parent)),
                 list(editor.children(parent, SOFT_DELETES))), ([], ["Child"]),
                "still deleted")
    # or in Deleted Items if that's gone
    editor.delete_folder(tree, parent)
    child = editor.children(parent, SOFT_DELETES)["Child"]
    server.doveadm("mailbox", "delete", "-u", server.users[0],
                   f"mapi-internal/removed-{number(parent)}")
    check_equal(editor.children(trash, SOFT_DELETES), {"Child": child},
                "of a parent that is gone")
    editor.close()


def test_acl(server):
    append(server, "Shared", mail("shared"))
    server.doveadm("acl", "set", "-u", server.users[0], "Shared",
                   f"user={server.users[1]}", "lookup", "read")
    rights = server.doveadm("acl", "get", "-u", server.users[0], "Shared")
    editor = Editor(server)
    tree = editor.special(IPM_SUBTREE)
    fid = editor.children(tree)["Shared"]
    editor.delete_folder(tree, fid)
    editor.move_folder(tree, tree, fid, "Shared again")
    check_equal(server.doveadm("acl", "get", "-u", server.users[0],
                               "Shared again"), rights, "rights")
    # one who may not delete it
    server.doveadm("acl", "set", "-u", server.users[0], "Shared again",
                   "owner", "lookup", "read", "write", "insert")
    editor.close()
    editor = Editor(server)
    check_equal(error(editor.delete_folder, tree, fid), EC_ACCESS_DENIED,
                "without the right")
    check_equal(subjects(server, "Shared again"), ["shared"], "still there")
    editor.close()


def test_hidden_child(server):
    """What others hide below a folder isn't hidden from everybody with it."""
    append(server, "Family", mail("family"))
    append(server, "Family/Secret", mail("secret"))
    server.doveadm("acl", "set", "-u", server.users[0], "Family/Secret",
                   "owner", "read")
    editor = Editor(server)
    tree, trash = editor.special(IPM_SUBTREE), editor.special(DELETED_ITEMS)
    fid = editor.children(tree)["Family"]
    check_equal(editor.children(fid), {}, "in it")
    editor.delete_folder(tree, fid)
    check_equal([editor.read(trash, mid, [SUBJECT], deleted=True)[SUBJECT]
                 for mid in editor.messages(trash, deleted=True)].count(
                     "family"), 1, "its message")
    editor.close()
    server.doveadm("acl", "delete", "-u", server.users[0], "Family/Secret",
                   "owner")
    check_equal(subjects(server, "Family/Secret"), ["secret"], "still there")
    server.doveadm("mailbox", "delete", "-u", server.users[0], "Family/Secret")


def test_force_resync(server):
    made = make(server, "Resync")
    editor = Editor(server)
    tree, fid = editor.special(IPM_SUBTREE), made["Resync"][0]
    editor.delete_folder(tree, fid)
    editor.close()
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u",
                    server.users[0], "*"], check=True,
                   stderr=subprocess.DEVNULL)
    editor = Editor(server)
    check_equal(editor.children(tree, SOFT_DELETES).get("Resync"), fid,
                "deleted")
    editor.move_folder(tree, tree, fid, "")
    check_equal([editor.read(fid, mid, [SUBJECT])[SUBJECT]
                 for mid in editor.messages(fid)],
                ["native in Resync", "made in Resync"], "recovered")
    editor.close()


def test_rebuilt_by_imap(server):
    """An mdbox is rebuilt by whichever process stumbles over it, from all mailboxes:
    what isn't seen in any is put back where it was saved first."""
    if server.format != "mdbox":
        return
    # whose mailbox no other test needs
    server.users[:2] = reversed(server.users[:2])
    try:
        rebuild_by_imap(server)
    finally:
        server.users[:2] = reversed(server.users[:2])


def rebuild_by_imap(server):
    append(server, "INBOX", mail("in the Inbox"))
    made = make(server, "Rebuilt")
    fid, mids = made["Rebuilt"]
    editor = Editor(server)
    tree = editor.special(IPM_SUBTREE)
    editor.delete_folder(tree, fid)
    editor.close()
    before = subjects(server, "INBOX")
    storage = os.path.join(server.env["TEST_MAIL"], server.users[0], "mdbox",
                           "storage")
    for name in os.listdir(storage):
        if name.startswith("dovecot.map.index"):
            os.unlink(os.path.join(storage, name))

    def inbox():
        try:
            return [subjects(server, "INBOX")]
        except imaplib.IMAP4.error:
            # it ends such a session
            return None
    check_equal(wait_for("the INBOX", inbox), [before], "INBOX")
    check("rebuilding indexes" in server.log_text(), "nothing was rebuilt")
    check_equal([n for n in listed(server) if "Rebuilt" in n], [], "appeared")
    editor = Editor(server)
    editor.open(fid, OPEN_SOFT_DELETED)
    check_equal(editor.messages(fid), mids, "messages")
    editor.move_folder(tree, tree, fid, "")
    editor.close()
    check_equal(subjects(server, "Rebuilt"),
                ["made in Rebuilt", "native in Rebuilt"], "recovered")


def test_dsync(server):
    made = make(server, "Replica")
    editor = Editor(server)
    tree, fid = editor.special(IPM_SUBTREE), made["Replica"][0]
    editor.delete_folder(tree, fid)
    editor.close()
    source, dest = server.users[0], server.users[2]
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], dest,
        {"maildir": "Maildir"}.get(server.format, server.format))
    proc = subprocess.run([server.env["DOVEADM"], "backup", "-u", source,
                           location], stderr=subprocess.PIPE, text=True,
                          check=False)
    check(proc.returncode in (0, 2), f"doveadm backup: {proc.stderr}")
    server.users[0] = dest
    try:
        editor = Editor(server)
        check_equal(editor.children(tree, SOFT_DELETES).get("Replica"), fid,
                    "deleted")
        editor.move_folder(tree, tree, fid, "")
        check_made(server, editor, "Replica", made)
        editor.close()
    finally:
        server.users[0] = source


def test_expiry(server):
    make(server, "Expiring")
    editor = Editor(server)
    tree = editor.special(IPM_SUBTREE)
    fid = editor.children(tree)["Expiring"]
    editor.delete_folder(tree, fid)
    editor.close()
    conf = os.path.join(server.dir, "dovecot.conf")
    with open(conf, "a", encoding="utf-8") as f:
        f.write("\nmapi_deleted_retention = 1s\n")

    def ready(func, *args):
        try:
            return func(*args)
        except (OSError, ValueError, subprocess.CalledProcessError,
                readlib.TestFailure):
            return None
    wait_for("reload", lambda: ready(server.doveadm, "reload") is not None, 60)

    def expired():
        session = Editor(server)
        names = session.children(tree, SOFT_DELETES)
        session.close()
        return True if "Expiring" not in names else None
    wait_for("expiry", lambda: ready(expired), 60)
    check_equal(companions(server, fid), [], "left")


readlib.main()
