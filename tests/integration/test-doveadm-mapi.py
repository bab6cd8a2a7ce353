#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# may-log: child [0-9]+ killed with signal 9
"""doveadm mapi check and report: whatever is damaged is found, stays as it is until
it's to be repaired, and isn't found again afterwards; messages are as they should be
all the while."""

import base64
import glob
import json
import os
import pathlib
import re
import subprocess

import readlib
from editlib import BODY, CLASS, DICTIONARY, FINDER, SUBJECT, Editor
from readlib import append, check, check_equal

ROOT = "mapi-internal"
COLUMNS = ["problem", "state", "mailbox", "uid", "detail"]


def run(server, *args, user=None, formatter="json"):
    """(exit status, what it printed)"""
    proc = subprocess.run(
        [server.env["DOVEADM"], "-f", formatter, "mapi", args[0], "-u",
         user or server.users[0], *args[1:]], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, check=False)
    check(proc.returncode in (0, 2), f"doveadm mapi {args}: "
          f"{proc.returncode} {proc.stderr}")
    if formatter != "json":
        return proc.returncode, proc.stdout
    return proc.returncode, json.loads(proc.stdout or "[]")


def problems(server, *args, age="0", user=None):
    """(exit status, sorted (problem, state, mailbox without the root))"""
    status, rows = run(server, "check", "-a", age, *args, user=user)
    return status, sorted((row["problem"], row["state"],
                           row["mailbox"].removeprefix(ROOT + "/"))
                          for row in rows)


def check_repair(server, wanted):
    """wanted: (problem, mailbox) of what there is"""
    wanted = sorted(wanted)
    for _ in range(2):
        check_equal(problems(server), (2, [
            (kind, "found", box) for kind, box in wanted]), "check")
    check_equal(problems(server, "-r"), (0, [
        (kind, "repaired", box) for kind, box in wanted]), "check -r")
    check_equal(problems(server), (0, []), "check after the repair")


def report(server, user=None):
    return {name: int(value) for name, value in
            run(server, "report", user=user)[1][0].items()}


class Mailbox:
    """A folder with messages that have bags"""

    def __init__(self, server, name, count=2):
        self.server, self.name = server, name
        append(server, name, b"Subject: native\r\n\r\ntext\r\n")
        editor = Editor(server)
        self.blob = editor.named("Document") << 16 | 0x0102
        self.fid = editor.folders()[name]
        self.number = int.from_bytes(self.fid[2:], "big")
        self.mids = [editor.create(self.fid, {
            CLASS: "IPM.Note", SUBJECT: f"{name} {i}", BODY: "text",
            self.blob: b"blob %d" % i}) for i in range(count)]
        editor.close()
        self.bags = f"bags-{self.number}"

    def read(self, mid, name=None):
        """(subject, blob)"""
        editor = Editor(self.server)
        fid = self.fid if name is None else editor.folders()[name]
        values = editor.read(fid, mid, [SUBJECT, self.blob])
        editor.close()
        return tuple(values.values())

    def find(self, name, subject):
        """(MID, blob) of the message in another folder"""
        editor = Editor(self.server)
        fid = editor.folders()[name]
        found = []
        for mid in editor.messages(fid):
            values = editor.read(fid, mid, [SUBJECT, self.blob])
            if values[SUBJECT] == subject:
                found.append((mid, values[self.blob]))
        editor.close()
        check_equal(len(found), 1, f"{subject} in {name}")
        return found[0]


def fetch(server, mailbox):
    """[(uid, text)] of the tree, in order"""
    out = server.doveadm("-f", "json", "fetch", "-u", server.users[0],
                         "uid text", "mailbox", f"{ROOT}/{mailbox}")
    return sorted((int(row["uid"]), row["text"]) for row in json.loads(out))


def save(server, mailbox, text):
    subprocess.run([server.env["DOVEADM"], "save", "-u", server.users[0],
                    "-m", f"{ROOT}/{mailbox}"], input=text.encode(),
                   check=True)


def expunge(server, mailbox, *query):
    """By somebody who doesn't know of bags"""
    server.doveadm("-o", "mail_plugins=", "expunge", "-u", server.users[0],
                   "mailbox", mailbox, *query)


def move(server, source, dest, *query):
    server.doveadm("-o", "mail_plugins=", "move", "-u", server.users[0], dest,
                   "mailbox", source, *query)


def test_nothing(server):
    user = server.users[1]
    before = server.doveadm("mailbox", "list", "-u", user)
    check_equal(problems(server, user=user), (0, []), "no MAPI yet")
    check_equal(problems(server, "-r", user=user), (0, []), "no MAPI yet")
    check_equal(set(report(server, user).values()), {0}, "report")
    check_equal(server.doveadm("mailbox", "list", "-u", user), before,
                "mailboxes")


def test_healthy(server):
    box = Mailbox(server, "Healthy")
    check_equal(problems(server), (0, []), "check")
    check_equal(problems(server, "-r"), (0, []), "check -r")
    values = report(server)
    check_equal(values["bags"], 2, "bags")
    check(values["folders"] > 5 and values["blocks"] > 1 and
          values["named_properties"] == 1 and values["mailboxes"] >= 4 and
          values["size"] > 1000, f"report: {values}")
    check_equal([values[name] for name in (
        "orphaned_bags", "duplicate_guids", "problems", "set_aside")], [0] * 4,
        "problems")
    check_equal(box.read(box.mids[1]), ("Healthy 1", b"blob 1"), "message")


def test_formatters(server):
    box = Mailbox(server, "Formats")
    expunge(server, "Formats", "subject", "Formats 0")
    status, text = run(server, "check", "-a", "0", formatter="table")
    check_equal(status, 2, "exit status")
    check_equal(text.splitlines()[0].split(), COLUMNS, "table's header")
    check(re.match(rf"orphaned-bag +found +{ROOT}/{box.bags} +1\b",
                   text.splitlines()[1]), text)
    status, text = run(server, "check", "-a", "0", formatter="tab")
    check_equal(text.splitlines()[1].split("\t"),
                ["orphaned-bag", "found", f"{ROOT}/{box.bags}", "1", ""],
                "tab")
    _, text = run(server, "report", formatter="flow")
    check("bags=" in text and "duplicate_guids=0" in text, text)
    out = subprocess.run(
        [server.env["DOVEADM"], "-f", "json", "mapi", "check", "-A", "-a",
         "0"], stdout=subprocess.PIPE, text=True, check=False)
    check_equal(out.returncode, 2, "exit status of -A")
    check_equal([row["username"] for row in json.loads(out.stdout)],
                [server.users[0]], "-A")
    check_repair(server, [("orphaned-bag", box.bags)])


def test_orphans(server):
    box = Mailbox(server, "Orphans", 3)
    expunge(server, "Orphans", "subject", "Orphans 0")
    expunge(server, "Orphans", "subject", "Orphans 2")
    # those could still be about to get their messages
    check_equal(problems(server, age="1h"), (0, []), "young ones")
    check_equal(problems(server, "-r", age="1h"), (0, []), "young ones")
    check_repair(server, [("orphaned-bag", box.bags)] * 2)
    check_equal(box.read(box.mids[1]), ("Orphans 1", b"blob 1"), "the other")


def test_lost_files(server):
    """An sdbox whose process was killed before it removed the file of a message that
    it had expunged: the message is back when the index is rebuilt."""
    if server.format != "sdbox":
        return
    box = Mailbox(server, "Lost")
    folder = os.path.join(server.env["TEST_MAIL"], server.users[0], "sdbox",
                          "mailboxes", "Lost", "dbox-Mails")
    path = next(path for path in glob.glob(folder + "/u.*")
                if b"Subject: Lost 0" in pathlib.Path(path).read_bytes())
    subprocess.run(["cp", "-p", path, path + ".kept"], check=True)
    expunge(server, "Lost", "subject", "Lost 0")
    os.rename(path + ".kept", path)
    for args in (), ("-r",), ():
        check_equal(problems(server, *args), (0, []), "its bag isn't orphaned")
    server.doveadm("force-resync", "-u", server.users[0], "Lost")
    check_equal(box.find("Lost", "Lost 0")[1], b"blob 0", "its properties")
    expunge(server, "Lost", "subject", "Lost 0")
    check_repair(server, [("orphaned-bag", box.bags)])


def test_left_behind(server):
    """Moved by somebody who doesn't know of bags, and not seen by MAPI yet"""
    box = Mailbox(server, "Left", 3)
    Mailbox(server, "Taken", 0)
    for i in range(2):
        move(server, "Left", "Taken", "subject", f"Left {i}")
    check_repair(server, [("left-behind-bag", box.bags)] * 2)
    check_equal(box.find("Taken", "Left 1")[1], b"blob 1", "moved")
    check_equal(box.read(box.mids[2]), ("Left 2", b"blob 2"), "not moved")


def test_seen_by_mapi(server):
    """The same, but a session looks first: it finds the bags by itself."""
    box = Mailbox(server, "From", 3)
    Mailbox(server, "To", 0)
    for i in range(2):
        move(server, "From", "To", "subject", f"From {i}")
    server.doveadm("-o", "mail_plugins=", "copy", "-u", server.users[0], "To",
                   "mailbox", "From", "subject", "From 2")
    for i in range(3):
        check_equal(box.find("To", f"From {i}")[1], b"blob %d" % i, "To")
    # each has its own now
    editor = Editor(server)
    editor.change(box.fid, box.mids[2], {box.blob: b"another"})
    editor.close()
    check_equal(box.find("To", "From 2")[1], b"blob 2", "the copy")
    check_equal(box.read(box.mids[2]), ("From 2", b"another"), "the original")
    check_repair(server, [("orphaned-bag", box.bags)] * 2)
    for i in range(3):
        check_equal(box.find("To", f"From {i}")[1], b"blob %d" % i, "To")


def test_superseded(server):
    """A process has died before it deleted the old bag."""
    box = Mailbox(server, "Superseded", 1)
    editor = Editor(server)
    old = fetch(server, box.bags)[0]
    editor.change(box.fid, box.mids[0], {box.blob: b"newer"})
    # it's deleted a moment later, by the same session
    new = readlib.wait_for("deleting the old bag", lambda: [
        text for uid, text in fetch(server, box.bags) if uid != old[0]
        and len(fetch(server, box.bags)) == 1])[0]
    editor.close()
    for _ in range(2):
        save(server, box.bags, old[1])
        save(server, box.bags, new)
        check_repair(server, [("superseded-bag", box.bags)] * 2)
        check_equal(box.read(box.mids[0])[1], b"newer", "the newest holds")
    # who opens the folder deletes them as well
    save(server, box.bags, old[1])
    editor = Editor(server)
    check_equal(editor.read(box.fid, box.mids[0], [box.blob])[box.blob],
                b"newer", "the newest holds")
    editor.close()
    check_equal([uid for uid, text in fetch(server, box.bags)
                 if text == old[1]], [], "the old bag")
    check_equal(problems(server), (0, []), "afterwards")


def break_bag(text):
    head, name, value = text.replace("\r", "").partition(
        "\nX-MAPI-Bag-Content: ")
    end = re.search(r"\n(?! )", value).start()
    data = base64.b64decode(value[:end])
    return head + name + base64.b64encode(
        data[:len(data) // 2]).decode() + value[end:]


def test_broken(server):
    box = Mailbox(server, "Broken", 3)
    editor = Editor(server)
    # it has the id of the one that it has replaced
    editor.change(box.fid, box.mids[1], {SUBJECT: "Broken and changed"})
    editor.close()
    for uid, text in fetch(server, box.bags):
        if "what Outlook knows of \"Broken 2\"" not in text:
            save(server, box.bags, break_bag(text))
            expunge(server, f"{ROOT}/{box.bags}", "uid", str(uid))
    save(server, box.bags, "Subject: what is this?\n\ntext\n")
    before = report(server)["set_aside"]
    check_repair(server, [("broken-bag", box.bags)] * 2 +
                 [("not-a-bag", box.bags)])
    check_equal(report(server)["set_aside"], before + 3, "set aside")
    check_equal(len(fetch(server, "damaged")), before + 3, "kept")
    # what MIME says
    check_equal([box.read(mid) for mid in box.mids],
                [("Broken 0", None), ("Broken and changed", None),
                 ("Broken 2", b"blob 2")], "messages")


def test_interrupted(server):
    """The message that has been replaced is still there."""
    box = Mailbox(server, "Interrupted", 1)
    server.doveadm("mailbox", "create", "-u", server.users[0], "Aside")
    server.doveadm("-o", "mail_plugins=", "copy", "-u", server.users[0],
                   "Aside", "mailbox", "Interrupted", "subject",
                   "Interrupted 0")
    editor = Editor(server)
    editor.change(box.fid, box.mids[0], {SUBJECT: "changed"})
    editor.close()
    old = fetch(server, box.bags)
    # twice, so that it's not that of the first message's UID
    server.doveadm("-o", "mail_plugins=", "copy", "-u", server.users[0],
                   "Aside", "mailbox", "Interrupted", "subject", "changed")
    # which is all but that
    expunge(server, "Aside", "subject", "Interrupted 0")
    editor = Editor(server)
    editor.change(box.fid, box.mids[0], {SUBJECT: "changed again"})
    editor.close()
    newest = fetch(server, box.bags)[-1]
    # back in their order, and the newest bag says so
    move(server, "Aside", "Interrupted", "subject", "changed")
    move(server, "Interrupted", "Aside", "subject", "changed again")
    move(server, "Aside", "Interrupted", "subject", "changed again")
    uid = server.doveadm("-f", "flow", "fetch", "-u", server.users[0], "uid",
                         "mailbox", "Interrupted", "subject", "changed again")
    expunge(server, f"{ROOT}/{box.bags}", "uid", str(newest[0]))
    save(server, box.bags, old[-1][1])
    save(server, box.bags, re.sub(
        r"(X-MAPI-Bag: \S+ \S+ \S+) \d+",
        r"\g<1> " + re.search(r"uid=(\d+)", uid)[1], newest[1]))
    status, found = problems(server)
    check_equal((status, found), (2, [
        ("replaced-message", "found", "Interrupted")]), "check")
    check_equal(report(server)["duplicate_guids"], 1, "report")
    status, found = problems(server, "-r")
    check_equal((status, [row for row in found if row[0] != "superseded-bag" and
                          row[0] != "orphaned-bag"]),
                (0, [("replaced-message", "repaired", "Interrupted")]), "-r")
    check_equal(problems(server), (0, []), "afterwards")
    check_equal(box.read(box.mids[0]), ("changed again", b"blob 0"), "message")
    server.doveadm("mailbox", "delete", "-u", server.users[0], "Aside")


def test_gone_folder(server):
    """Deleted by somebody who doesn't know of bags, and one of its messages moved
    before"""
    box = Mailbox(server, "Gone", 2)
    Mailbox(server, "Refuge", 0)
    editor = Editor(server)
    editor.create(box.fid, {CLASS: "IPM.Configuration.Test",
                            SUBJECT: "settings", DICTIONARY: b"<xml/>"},
                  associated=True)
    editor.close()
    move(server, "Gone", "Refuge", "subject", "Gone 1")
    server.doveadm("-o", "mail_plugins=", "mailbox", "delete", "-u",
                   server.users[0], "Gone")
    found = problems(server)
    check_equal(found, (2, sorted([
        ("left-behind-bag", "found", box.bags),
        ("orphaned-bag", "found", box.bags),
        ("orphaned-companion", "found", box.bags),
        ("orphaned-companion", "found", f"fai-{box.number}"),
        *[("orphaned-companion", "found", name)
          for name in [f"bags-fai-{box.number}"]]])), "check")
    check_equal(problems(server, "-r")[0], 0, "check -r")
    check_equal(problems(server), (0, []), "afterwards")
    check_equal(box.find("Refuge", "Gone 1")[1], b"blob 1", "moved before")
    left = server.doveadm("mailbox", "list", "-u", server.users[0])
    check(f"-{box.number}\n" not in left, left)


def test_search_remains(server):
    box = Mailbox(server, "Searched", 1)
    editor = Editor(server)
    fid = editor.create_folder(editor.special(FINDER), "Search", kind=2)
    editor.set_criteria(fid, "Searched", [box.fid])
    editor.messages(fid)
    editor.close()
    number = int.from_bytes(fid[2:], "big")
    leaf = f"search-{number}"
    readlib.wait_for("storing of results", lambda: f"{ROOT}/{leaf}\n" in
                     server.doveadm("mailbox", "list", "-u", server.users[0]))
    text = fetch(server, leaf)[0][1]
    check_equal(problems(server), (0, []), "check")
    editor = Editor(server)
    editor.delete_folder(editor.special(FINDER), fid)
    editor.close()
    if f"{ROOT}/{leaf}\n" not in server.doveadm("mailbox", "list", "-u",
                                                server.users[0]):
        server.doveadm("mailbox", "create", "-u", server.users[0],
                       f"{ROOT}/{leaf}")
        save(server, leaf, text)
    check_repair(server, [("search-remains", leaf)])


def test_log(server):
    """Records that two servers have written at once, and what is none"""
    records = fetch(server, "allotments")
    folders = [text for _, text in records
               if re.search(r"X-MAPI-Record: c \d+ folder ", text)]
    before = report(server)
    # the same number for another folder; the same folder with another number
    save(server, "allotments", re.sub(r"( folder =g)\w{4}", r"\1ffff",
                                      folders[0]))
    save(server, "allotments", re.sub(r"(X-MAPI-Record: c )\d+", r"\g<1>90000",
                                      folders[1]))
    save(server, "allotments", "Subject: what is this?\n\ntext\n")
    # the newest is left alone
    Mailbox(server, "Newest", 0)
    check_repair(server, [("log-conflict", "allotments"),
                          ("not-a-record", "allotments")])
    check_equal(report(server)["folders"], before["folders"] + 1, "folders")


def test_unknown(server):
    server.doveadm("mailbox", "create", "-u", server.users[0],
                   f"{ROOT}/surprise")
    for args in ((), ("-r",)):
        status, found = problems(server, *args)
        check_equal((status, [row[0::2] for row in found]),
                    (2, [("unknown-companion", "surprise")]), f"check {args}")
    server.doveadm("mailbox", "delete", "-u", server.users[0],
                   f"{ROOT}/surprise")
    check_equal(problems(server), (0, []), "without it")


readlib.main()
