#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
"""What other protocols change is seen, and ids stay what they were."""

import threading
import time
from email.message import EmailMessage

import readlib
from readlib import check, check_equal, imap_ok, imap_quote


def mail(subject):
    msg = EmailMessage()
    msg["From"] = "sender@example.net"
    msg["To"] = "alice@example.org"
    msg["Subject"] = subject
    msg["Message-ID"] = f"<{subject.replace(' ', '.')}@example.net>"
    msg.set_content("Text of " + subject + "\n")
    return msg.as_bytes()


def listing(server, folder="Inbox"):
    """message id -> row"""
    walk = server.walk("--folder", folder, "--rows", "all", "--messages", "0")
    check_equal(walk["violations"], [], "violations")
    return {row["message_id"]: row for row in walk["tables"][0]["rows"]}


def identity(server):
    """All that a client remembers of a mailbox"""
    walk = server.walk("--all-folders", "--rows", "all", "--messages", "0")
    return {
        "mailbox": walk["logon"]["mailbox_guid"],
        "replica": walk["logon"]["repl_guid"],
        "special": walk["logon"]["folder_ids"],
        "record key": walk["logon"]["store"]["PidTagStoreRecordKey"],
        "folders": {f["id"]: (f["name"], f["parent"])
                    for f in walk["folders"]},
        "messages": sorted((t["folder"], r["mid"], r["message_id"])
                           for t in walk["tables"] for r in t["rows"]),
    }


def check_same(before, after, what):
    for key, value in before.items():
        check_equal(after[key], value, f"{what}: {key}")


def test_fill(server):
    for i in range(5):
        readlib.append(server, "INBOX", mail(f"inbox {i}"))
        readlib.append(server, "Project", mail(f"project {i}"))
    server.lmtp(mail("delivered"))
    check_equal(len(listing(server)), 6, "messages in Inbox")


def test_read_state(server):
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.store("1:2", "+FLAGS", "(\\Seen)"))
    rows = listing(server)
    check_equal(sum(row["flags"] & 1 for row in rows.values()), 2,
                "read messages")
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.store("1", "-FLAGS", "(\\Seen)"))
    rows = listing(server)
    check_equal(sum(row["flags"] & 1 for row in rows.values()), 1,
                "read messages after one was made unread")


def test_reading_changes_nothing(server):
    """Opening a message isn't reading it: that's what RopSetMessageReadFlag
    is for."""
    before = listing(server)
    server.walk("--rows", "all", "--messages", "all")
    check_equal(listing(server), before, "rows after messages were opened")


def test_expunge(server):
    before = listing(server)
    with readlib.imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.store("3", "+FLAGS", "(\\Deleted)"))
        imap_ok(imap.expunge())
    after = listing(server)
    check_equal(len(after), len(before) - 1, "messages")
    for ident, row in after.items():
        check_equal(row["mid"], before[ident]["mid"], f"{ident}: mid")
    # the number of what's gone isn't used again
    gone = {row["mid"] for row in before.values()} - \
        {row["mid"] for row in after.values()}
    readlib.append(server, "INBOX", mail("after the expunge"))
    rows = listing(server)
    check(not gone & {row["mid"] for row in rows.values()},
          "the id of an expunged message was used again")


def test_ids_in_another_session(server):
    check_same(identity(server), identity(server), "another session")


def test_ids_in_sessions_at_once(server):
    results, failures = [], []

    def run():
        try:
            results.append(identity(server))
        except readlib.TestFailure as exc:
            failures.append(str(exc))
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(failures, [], "failures")
    for result in results[1:]:
        check_same(results[0], result, "sessions at once")


def test_first_logons_at_once(server):
    """Nobody has opened this mailbox before: the ids that are allotted now
    must be the same for all."""
    user = server.users[2]
    results, failures = [], []

    def run():
        try:
            walk = server.walk("--rows", "0", "--messages", "0", user=user)
            results.append((walk["logon"]["folder_ids"],
                            walk["logon"]["mailbox_guid"]))
        except readlib.TestFailure as exc:
            failures.append(str(exc))
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(failures, [], "failures")
    for result in results:
        check_equal(result, results[0], "folder ids")


def test_ids_after_restart(server):
    before = identity(server)
    server.restart()
    check_same(before, identity(server), "restart")


def test_ids_after_force_resync(server):
    before = identity(server)
    server.doveadm("force-resync", "-u", server.users[0], "*")
    check_same(before, identity(server), "force-resync")


def test_new_folder(server):
    before = identity(server)["folders"]
    with readlib.imap_session(server) as imap:
        imap_ok(imap.create(imap_quote("Project/Sub")))
    after = identity(server)["folders"]
    new = set(after) - set(before)
    check_equal([after[fid][0] for fid in new], ["Sub"], "new folders")
    check_equal({fid: after[fid] for fid in before}, before, "old folders")


def test_renamed_folder(server):
    """A folder keeps its id, and its messages theirs."""
    before = identity(server)
    with readlib.imap_session(server) as imap:
        imap_ok(imap.rename("Project", "Renamed"))
    after = identity(server)
    fid = [f for f, (name, _) in before["folders"].items()
           if name == "Project"][0]
    check_equal(after["folders"][fid][0], "Renamed", "name")
    check_equal([m for m in after["messages"] if m[0] == fid],
                [m for m in before["messages"] if m[0] == fid], "messages")


def test_hidden_from_imap(server):
    """What the MAPI side stores for itself isn't shown to IMAP clients."""
    with readlib.imap_session(server) as imap:
        for command in ("LIST", "LSUB"):
            kind, data = imap._simple_command(command, '""', '"*"')
            _, data = imap._untagged_response(kind, data, command)
            for line in data:
                line = (line or b"").decode().lower()
                check("mapi" not in line, f"{command} shows {line}")


def test_session_sees_new_mail(server):
    """In one session: a table that's opened again has what came meanwhile."""
    from rawmapi import RawMapi
    import struct
    raw = RawMapi(server)
    logon = raw.start()
    folder = raw.open_folder(logon, raw.logon_ids[4])

    def count():
        answer = raw.execute(struct.pack("<BBBBB", 5, 0, 0, 1, 0),
                             [folder, 0xffffffff])
        check_equal(answer.return_value(), 0, "RopGetContentsTable")
        return struct.unpack_from("<I", answer.rops, 6)[0]
    before = count()
    server.lmtp(mail("while a session is open " + str(time.time())))
    readlib.wait_for("new mail in a new table", lambda: count() == before + 1)
    raw.close()


readlib.main()
