#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ids and GUIDs of a mailbox are the same in every session, after doveadm
force-resync, and on another server that doveadm has replicated it to."""

import os
import subprocess

from readlib import append, check, check_equal, main, wait_for

MESSAGE = b"From: a@example.net\r\nSubject: %d\r\n\r\nx\r\n"
LOST = "lost its history"


def fill(server):
    mailboxes = server.doveadm("mailbox", "list", "-u", server.users[0])
    if "Projects/Alpha" in mailboxes:
        return
    for i in range(3):
        append(server, "INBOX", MESSAGE % i)
        append(server, "Projects/Alpha", MESSAGE % i, flags="\\Flagged")


def ids(server, user=None):
    """Everything with a number or a GUID that clients keep."""
    walk = server.walk("--all-folders", "--rows", "all", user=user)
    logon = walk["logon"]
    return {
        "guids": (logon["mailbox_guid"], logon["repl_guid"]),
        "logon": logon["folder_ids"],
        "folders": sorted((f["id"], f["parent"], f["name"])
                          for f in walk["folders"]),
        "messages": sorted((t["folder"], row["mid"], row["subject"])
                           for t in walk["tables"] for row in t["rows"]),
    }


def records(server, user, mailbox):
    out = server.doveadm("fetch", "-u", user, "hdr.x-mapi-record", "mailbox",
                         "mapi-internal/" + mailbox)
    return [line.split(": ", 1)[1] for line in out.splitlines()
            if line.startswith("hdr.x-mapi-record: ")]


def compare(before, after):
    for key in before:
        check_equal(after[key], before[key], key)


def test_sessions(server):
    fill(server)
    before = ids(server)
    check_equal(len([m for m in before["messages"]]), 6, "messages")
    check_equal(len({m[1] for m in before["messages"]}), 6, "different MIDs")
    compare(before, ids(server))


def test_new_mail(server):
    fill(server)
    before = ids(server)
    append(server, "INBOX", MESSAGE % 99)
    after = ids(server)
    new = set(after["messages"]) - set(before["messages"])
    check_equal(set(before["messages"]) - set(after["messages"]), set(), "lost")
    check_equal([m[2] for m in new], ["99"], "new messages")


def test_force_resync(server):
    fill(server)
    before = ids(server)
    blocks = records(server, server.users[0], "blocks")
    # it says a lot about what it does
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u",
                    server.users[0], "*"], check=True,
                   stderr=subprocess.DEVNULL)
    compare(before, ids(server))
    check_equal(records(server, server.users[0], "blocks"), blocks, "blocks")


def replicate(server, source, dest):
    folder = {"maildir": "Maildir"}.get(server.format, server.format)
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], dest, folder)
    # 2: others have changed something meanwhile
    proc = subprocess.run([server.env["DOVEADM"], "backup", "-u", source,
                           location], stderr=subprocess.PIPE, text=True)
    check(proc.returncode in (0, 2), f"doveadm backup: {proc.stderr}")


def test_dsync(server):
    fill(server)
    source, dest = server.users[0], server.users[1]
    before = ids(server)
    blocks = records(server, source, "blocks")
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    replicate(server, source, dest)
    compare(before, ids(server, user=dest))
    check_equal(records(server, dest, "blocks"), blocks, "blocks")
    check(LOST not in server.log_text(), "a folder lost its history")

    # both go on, and it's replicated again
    append(server, "INBOX", MESSAGE % 7)
    before = ids(server)
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    replicate(server, source, dest)
    compare(before, ids(server, user=dest))


if __name__ == "__main__":
    main()
