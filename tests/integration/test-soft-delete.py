#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: soft-delete.conf
# may-log: mapi.*killed with signal 9
# timeout: 400
"""What a MAPI client deletes can be recovered for some time, and nothing of it is
seen over IMAP: by whom, how long, and what happens if a process dies, there's no
room, or the administrator does something."""

import http.client
import os
import random
import re
import struct
import subprocess
import threading
import time

import rawmapi
import readlib
from readlib import append, check, check_equal, wait_for
from writelib import (
    EC_NOT_FOUND, HARD_DELETE, NONE, Client, append_many, mail, state,
    subjects)

EC_ACCESS_DENIED = 0x80070005
DELETE_FOLDER, EMPTY_FOLDER, HARD_EMPTY_FOLDER = 0x1D, 0x58, 0x92
SOFT_DELETES, ASSOCIATED, OPEN_SOFT_DELETED = 0x20, 0x02, 0x04
MID, SUBJECT = 0x674A0014, 0x0037001F
DELETED_ON, MODIFIED = 0x668F0040, 0x30080040
DELETED_COUNT, DELETED_SIZE = 0x66400003, 0x669B0014


class DeletedClient(Client):
    def folder_id(self, name):
        answer = self.raw.execute(struct.pack(
            "<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1, 1, 0x67480014),
            [self.folder(name)])
        check_equal(answer.return_value(), 0, "RopGetPropertiesSpecific")
        return answer.rops[7:15]

    def __init__(self, server):
        super().__init__(server)
        # {mid: seconds since 1970}, of those that deleted() has found
        self.deleted_dates = {}

    def close(self):
        try:
            self.raw.request("Disconnect", struct.pack("<I", 0))
        except (OSError, ValueError, http.client.HTTPException):
            pass
        super().close()

    def deleted_table(self, folder, flags=0):
        answer = self.raw.execute(struct.pack(
            "<BBBBB", rawmapi.ROP_CONTENTS_TABLE, 0, 0, 1,
            SOFT_DELETES | flags), [folder, NONE])
        check_equal(answer.return_value(), 0, "RopGetContentsTable")
        return answer.handles[1], struct.unpack_from("<I", answer.rops, 6)[0]

    def deleted(self, folder, flags=0):
        """[(mid, subject)]; the row count is checked"""
        table, count = self.deleted_table(folder, flags)
        tags = (MID, SUBJECT, DELETED_ON, MODIFIED)
        answer = self.raw.execute(struct.pack(
            f"<BBBBH{len(tags)}I", rawmapi.ROP_SET_COLUMNS, 0, 0, 0,
            len(tags), *tags), [table])
        check_equal(answer.return_value(), 0, "RopSetColumns")
        rows = []
        while True:
            answer = self.raw.execute(struct.pack(
                "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 100), [table])
            check_equal(answer.return_value(), 0, "RopQueryRows")
            got = struct.unpack_from("<H", answer.rops, 7)[0]
            if got == 0:
                break
            pos = 9
            for _ in range(got):
                check_equal(answer.rops[pos], 0, "row flag")
                mid = struct.unpack_from("<Q", answer.rops, pos + 1)[0]
                pos = end = pos + 9
                while answer.rops[end:end + 2] != b"\0\0":
                    end += 2
                rows.append((mid, answer.rops[pos:end].decode("utf-16le")))
                deleted_on, modified = struct.unpack_from("<QQ", answer.rops,
                                                          end + 2)
                check(deleted_on > 0, "PidTagDeletedOn")
                check_equal(modified, deleted_on, "PidTagLastModificationTime")
                self.deleted_dates[mid] = deleted_on / 1e7 - 11644473600
                pos = end + 18
        check_equal(len(rows), count, "RowCount")
        self.raw.execute(struct.pack("<BBB", 0x01, 0, 0), [table])
        return rows

    def deleted_subjects(self, folder, flags=0):
        return sorted(row[1] for row in self.deleted(folder, flags))

    def empty(self, folder, rop=EMPTY_FOLDER, associated=0):
        answer = self.raw.execute(bytes([rop, 0, 0, 0, associated]), [folder])
        return answer.return_value(), answer.rops[-1]

    def open_mode(self, folder_id, mid, mode):
        answer = self.raw.execute(struct.pack(
            "<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1, 0x0fff) +
            folder_id + bytes([mode]) + struct.pack("<Q", mid),
            [self.logon, NONE])
        return answer.return_value()

    def numbers(self, folder):
        answer = self.raw.execute(struct.pack(
            "<BBBHHHII", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1, 2, DELETED_COUNT,
            DELETED_SIZE), [folder])
        check_equal(answer.return_value(), 0, "RopGetPropertiesSpecific")
        check_equal(answer.rops[6], 0, "row flag")
        return struct.unpack_from("<iq", answer.rops, 7)


def number(fid):
    """of a folder, from its FID"""
    return int.from_bytes(fid[2:], "big")


def messages(server, mailbox, user=None):
    out = server.doveadm("search", "-u", user or server.users[0], "mailbox",
                         mailbox, "all")
    return len(out.splitlines())


# --- one session -------------------------------------------------------------

def test_recover(server):
    append_many(server, "Soft", [mail(f"soft {i}") for i in range(5)])
    client = DeletedClient(server)
    folder = client.folder("Soft")
    mids = client.mids(client.table(folder))
    check_equal(client.deleted(folder), [], "nothing deleted yet")
    check_equal(client.delete(mids[:3], folder), (0, 0), "delete")
    check_equal(subjects(server, "Soft"), ["soft 3", "soft 4"], "left")
    rows = client.deleted(folder)
    check_equal(rows, [(mids[i], f"soft {i}") for i in range(3)], "deleted")
    count, size = client.numbers(folder)
    check_equal(count, 3, "PidTagDeletedMessageCount")
    check(size > 300, "PidTagDeletedMessageSizeExtended")
    store_count, store_size = client.numbers(client.logon)
    check(store_count >= 3 and store_size >= size, "of the store")
    # once more: they aren't there
    check_equal(client.delete(mids[:1], folder), (0, 1), "delete twice")

    # to where they were, and elsewhere
    check_equal(client.move(mids[:1], folder, folder), (0, 0), "recover")
    check_equal(subjects(server, "Soft"), ["soft 0", "soft 3", "soft 4"],
                "recovered")
    check(mids[0] not in client.mids(client.table(folder)), "the old id")
    check_equal(client.move(mids[1:2], folder, client.inbox, copy=1), (0, 0),
                "copy")
    check_equal(client.deleted_subjects(folder), ["soft 1", "soft 2"],
                "after the copy")
    check("soft 1" in subjects(server, "INBOX"), "copied")
    # for good, one that was deleted before and one that wasn't
    check_equal(client.delete([mids[2], mids[4]], folder, HARD_DELETE), (0, 0),
                "purge")
    check_equal(client.deleted_subjects(folder), ["soft 1"], "after purge")
    check_equal(subjects(server, "Soft"), ["soft 0", "soft 3"], "left")
    client.close()


def test_open(server):
    append(server, "INBOX", mail("opened"))
    client = DeletedClient(server)
    inbox = client.raw.logon_ids[4]
    mid = client.mids(client.table(client.inbox))[-1]
    check_equal(client.open_mode(inbox, mid, OPEN_SOFT_DELETED), 0,
                "one that isn't deleted")
    check_equal(client.delete([mid]), (0, 0), "delete")
    check_equal(client.open_mode(inbox, mid, 3), EC_NOT_FOUND, "without flag")
    check_equal(client.open_mode(inbox, mid, OPEN_SOFT_DELETED), 0, "with flag")
    check_equal(client.open_mode(inbox, mid, OPEN_SOFT_DELETED | 3), 0,
                "best access")
    check_equal(client.open_mode(inbox, mid, OPEN_SOFT_DELETED | 1),
                EC_ACCESS_DENIED, "for writing")
    check_equal(client.open_mode(inbox, mid + (1 << 40), OPEN_SOFT_DELETED),
                EC_NOT_FOUND, "another one")
    client.close()


def test_empty(server):
    append_many(server, "Emptied", [mail(f"emptied {i}") for i in range(4)])
    client = DeletedClient(server)
    folder = client.folder("Emptied")
    check_equal(client.empty(folder), (0, 0), "RopEmptyFolder")
    check_equal(state(server, "Emptied"), {}, "left")
    rows = client.deleted(folder)
    check_equal(len(rows), 4, "deleted")
    check_equal(client.move([rows[0][0]], folder, folder), (0, 0), "recover")
    check_equal(client.empty(folder, HARD_EMPTY_FOLDER), (0, 0),
                "RopHardDeleteMessagesAndSubfolders")
    check_equal(state(server, "Emptied"), {}, "left")
    check_equal(client.deleted(folder), [], "purged")
    check_equal(client.numbers(folder), (0, 0), "numbers")
    client.close()


def test_deleted_folder(server):
    append_many(server, "Top", [mail("top")])
    append_many(server, "Top/Below", [mail(f"below {i}") for i in range(2)])
    append_many(server, "Trash/Old", [mail("old")])
    client = DeletedClient(server)
    trash = client.raw.open_folder(client.logon, client.raw.logon_ids[7])
    fid = client.folder_id("Top")
    # deleted from it before
    append_many(server, "Top", [mail("before")])
    folder = client.folder("Top")
    mid = client.mids(client.table(folder))[-1]
    check_equal(client.delete([mid], folder), (0, 0), "delete")
    check_equal(client.deleted(folder), [(mid, "before")], "deleted before")
    before = client.deleted_dates[mid]
    wait_for("another second", lambda: time.time() > before + 2)
    answer = client.raw.execute(bytes([DELETE_FOLDER, 0, 0, 1 | 4]) + fid,
                                [client.raw.open_folder(
                                    client.logon, client.raw.logon_ids[3])])
    check_equal((answer.return_value(), answer.rops[-1]), (0, 0),
                "RopDeleteFolder")
    check_equal(client.empty(trash), (0, 0), "RopEmptyFolder")
    with readlib.imap_session(server) as imap:
        names = b" ".join(readlib.imap_ok(imap.list()))
        check(b"Top" not in names and b"Old" not in names, f"LIST: {names}")
    rows = client.deleted(trash)
    check_equal(sorted(row[1] for row in rows),
                ["before", "below 0", "below 1", "old", "top"], "deleted")
    check_equal(client.deleted_dates[mid], before, "date of the deletion")
    check_equal(client.move([row[0] for row in rows], trash, trash), (0, 0),
                "recover")
    check_equal(subjects(server, "Trash"),
                ["before", "below 0", "below 1", "old", "top"], "recovered")
    client.close()


def test_associated(server):
    client = DeletedClient(server)
    inbox = number(client.raw.logon_ids[4])
    server.doveadm("mailbox", "create", "-u", server.users[0],
                   f"mapi-internal/fai-{inbox}")
    subprocess.run([server.env["DOVEADM"], "save", "-u", server.users[0],
                    "-m", f"mapi-internal/fai-{inbox}"],
                   input=mail("hidden view"), check=True)
    answer = client.raw.execute(struct.pack(
        "<BBBBB", rawmapi.ROP_CONTENTS_TABLE, 0, 0, 1, ASSOCIATED),
        [client.inbox, NONE])
    table = answer.handles[1]
    client.raw.execute(struct.pack(
        "<BBBBH4I", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 4, *client.columns),
        [table])
    mids = client.mids(table)
    check_equal(client.delete(mids), (0, 0), "delete")
    check_equal(client.deleted(client.inbox, ASSOCIATED),
                [(mids[0], "hidden view")], "FAI messages")
    check("hidden view" not in client.deleted_subjects(client.inbox),
          "among the others")
    check_equal(client.move(mids, client.inbox, client.inbox), (0, 0),
                "recover")
    check_equal(messages(server, f"mapi-internal/fai-{inbox}"), 1, "back")
    client.close()


def test_imap(server):
    """IMAP neither sees nor makes any of it."""
    append_many(server, "By IMAP", [mail(f"imap {i}") for i in range(2)])
    client = DeletedClient(server)
    folder = client.folder("By IMAP")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids[:1], folder), (0, 0), "delete")
    with readlib.imap_session(server) as imap:
        names = b" ".join(readlib.imap_ok(imap.list()))
        check(b"deleted-" not in names and b"mapi-internal" not in names,
              f"LIST: {names}")
        readlib.imap_ok(imap.select('"By IMAP"'))
        readlib.imap_ok(imap.store("1", "+FLAGS", "(\\Deleted)"))
        readlib.imap_ok(imap.expunge())
    check_equal(client.deleted_subjects(folder), ["imap 0"], "deleted")
    client.close()


# --- several ------------------------------------------------------------------

def test_two_sessions(server):
    names = [f"two {i:02}" for i in range(60)]
    append_many(server, "Two", [mail(name) for name in names])
    clients = [DeletedClient(server) for _ in range(2)]
    folders = [client.folder("Two") for client in clients]
    mids = clients[0].mids(clients[0].table(folders[0]))
    clients[1].table(folders[1])
    errors = []

    def delete(i):
        for mid in mids if i == 0 else reversed(mids):
            value, _ = clients[i].delete([mid], folders[i])
            if value != 0:
                errors.append(value)
    threads = [threading.Thread(target=delete, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(errors, [], "errors")
    check_equal(state(server, "Two"), {}, "left")
    for client, folder in zip(clients, folders):
        check_equal(client.deleted_subjects(folder), names, "each once")
    # what one recovers the other hasn't any more
    check_equal(clients[0].move(mids[:30], folders[0], folders[0]), (0, 0),
                "recover")
    check_equal(clients[1].deleted_subjects(folders[1]), names[30:], "left")
    check_equal(clients[1].move(mids, folders[1], folders[1]), (0, 1),
                "recover the rest")
    check_equal(subjects(server, "Two"), names, "recovered")
    for client in clients:
        client.close()


def test_killed_while_deleting(server):
    """Whenever the worker dies, each message is in the folder or can be recovered,
    and after somebody has looked only one of it; but for what Dovecot finds if it
    has to repair an index."""
    for attempt in range(1, 9):
        box = f"Killed {attempt}"
        names = sorted(f"kill {i:03}" for i in range(80))
        append_many(server, box, [mail(n, size=2000) for n in names])
        repairs = server.log_text().lower().count("rebuilding index")
        kill_while_deleting(server, box)
        there, deleted = look(server, box)
        print(f"     {len(there)} left, {len(deleted)} deleted")
        check_equal(sorted(set(there + deleted)), names, f"lost by {attempt}")
        if sorted(there + deleted) != names:
            wait_for(f"a repair in the log, as some are doubled by {attempt}",
                     lambda count=repairs: count <
                     server.log_text().lower().count("rebuilding index"))
        # it goes on; a session that sees a repair has to begin anew
        for _ in range(5):
            client = DeletedClient(server)
            folder = client.folder(box)
            done = client.empty(folder) == (0, 0) and \
                client.empty(folder, HARD_EMPTY_FOLDER) == (0, 0)
            client.close()
            if done:
                break
        check_equal(look(server, box), ([], []), "purged")


def kill_while_deleting(server, box):
    client = DeletedClient(server)
    folder = client.folder(box)
    mids = client.mids(client.table(folder))
    check(readlib.processes(server, "mapi"), "no worker")
    timer = threading.Timer(random.uniform(0.0, 0.04), readlib.kill_workers,
                            (server,))
    timer.start()
    try:
        client.delete(mids, folder)
    except (readlib.TestFailure, ValueError, struct.error, OSError, IndexError,
            http.client.HTTPException):
        pass
    timer.join()
    client.close()


def look(server, name):
    """Subjects of what is in a folder, and of what is deleted, as a new session
    finds them"""
    for again in range(5):
        client = DeletedClient(server)
        try:
            folder = client.folder(name)
            client.table(folder)
            deleted = client.deleted_subjects(folder)
            client.close()
            return readlib_subjects(server, name), deleted
        except (readlib.TestFailure, ValueError, IndexError,
                struct.error) as exc:
            client.close()
            if again == 4:
                raise
            print(f"     {exc}")


def readlib_subjects(server, name):
    for again in range(5):
        try:
            return subjects(server, name)
        except Exception as exc:  # noqa: BLE001 imaplib raises what it likes
            if again == 4:
                raise
            print(f"     {exc}")


# --- what administrators do ---------------------------------------------------

def quota(server):
    """[kB]"""
    out = server.doveadm("quota", "get", "-u", server.users[0])
    return int(re.search(r"STORAGE\s+(\d+)", out)[1])


def test_quota(server):
    user = server.users[0]
    server.doveadm("expunge", "-u", user, "mailbox", "mapi-internal/deleted-*",
                   "all")
    append_many(server, "Full", [mail(f"full {i}", size=9000)
                                 for i in range(20)])
    client = DeletedClient(server)
    folder = client.folder("Full")
    mids = client.mids(client.table(folder))
    before = quota(server)
    # to the limit
    with readlib.imap_session(server) as imap:
        imap.create("Filler")
        for i in range(400):
            if imap.append("Filler", None, None,
                           mail(f"filler {i}", size=9000))[0] != "OK":
                break
        else:
            raise readlib.TestFailure("the quota has no end")
    full = quota(server)
    # deleting works, and what is deleted is counted
    check_equal(client.delete(mids, folder), (0, 0), "delete")
    check(quota(server) >= full, "what is deleted isn't counted")
    check_equal(len(client.deleted(folder)), 20, "deleted")
    # and so does getting it back
    check_equal(client.move(mids[:2], folder, folder), (0, 0), "recover")
    check_equal(client.delete(mids[2:], folder, HARD_DELETE), (0, 0), "purge")
    check(quota(server) < full - 100, "purging frees nothing")
    server.doveadm("mailbox", "delete", "-u", user, "Filler")
    check(quota(server) < before, "quota")
    client.close()


def test_rights(server):
    """Who can't take anything out of a folder leaves no copies elsewhere."""
    append_many(server, "Kept", [mail(f"kept {i}") for i in range(3)])
    server.doveadm("acl", "set", "-u", server.users[0], "Kept", "owner",
                   "lookup", "read", "write", "write-seen", "insert")
    client = DeletedClient(server)
    folder = client.folder("Kept")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids, folder)[0], EC_ACCESS_DENIED, "delete")
    check_equal(client.deleted(folder), [], "copies")
    check_equal(subjects(server, "Kept"), [f"kept {i}" for i in range(3)],
                "left")
    client.close()


def test_lazy_expunge(server):
    """Takes what is deleted for good."""
    append_many(server, "Lazy", [mail(f"lazy {i}") for i in range(2)])
    client = DeletedClient(server)
    folder = client.folder("Lazy")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids, folder), (0, 0), "delete")

    def expunged():
        return [s for s in subjects(server, "Expunged")
                if s.startswith("lazy")]
    with readlib.imap_session(server) as imap:
        imap.create("Expunged")
    check_equal(expunged(), [], "moved only")
    check_equal(client.delete(mids[:1], folder, HARD_DELETE), (0, 0), "purge")
    check_equal(expunged(), ["lazy 0"], "expunged")
    client.close()


def test_force_resync(server):
    append_many(server, "Resync", [mail(f"resync {i}") for i in range(3)])
    client = DeletedClient(server)
    folder = client.folder("Resync")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids[:2], folder), (0, 0), "delete")
    client.close()
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u",
                    server.users[0], "*"], check=True,
                   stderr=subprocess.DEVNULL)
    client = DeletedClient(server)
    folder = client.folder("Resync")
    rows = client.deleted(folder)
    check_equal([row[1] for row in rows], ["resync 0", "resync 1"], "deleted")
    check_equal(client.move([rows[0][0]], folder, folder), (0, 0), "recover")
    check_equal(subjects(server, "Resync"), ["resync 0", "resync 2"],
                "recovered")
    client.close()


def test_dsync(server):
    append_many(server, "Replica", [mail(f"replica {i}") for i in range(3)])
    client = DeletedClient(server)
    folder = client.folder("Replica")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids[:2], folder), (0, 0), "delete")
    client.close()
    source, dest = server.users[0], server.users[1]
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], dest,
        {"maildir": "Maildir"}.get(server.format, server.format))
    proc = subprocess.run([server.env["DOVEADM"], "backup", "-u", source,
                           location], stderr=subprocess.PIPE, text=True)
    check(proc.returncode in (0, 2), f"doveadm backup: {proc.stderr}")
    server.users[:2] = dest, source
    try:
        client = DeletedClient(server)
        folder = client.folder("Replica")
        rows = client.deleted(folder)
        check_equal([row[1] for row in rows], ["replica 0", "replica 1"],
                    "deleted")
        check_equal(client.move([rows[1][0]], folder, folder), (0, 0),
                    "recover")
        check_equal(subjects(server, "Replica"), ["replica 1", "replica 2"],
                    "recovered")
        client.close()
    finally:
        server.users[:2] = source, dest


def set_retention(server, value):
    """For sessions that are opened afterwards"""
    conf = os.path.join(server.dir, "dovecot.conf")
    with open(conf, encoding="utf-8") as f:
        text = re.sub(r"(?m)^mapi_deleted_retention.*\n", "", f.read())
    with open(conf, "w", encoding="utf-8") as f:
        f.write(f"{text}\nmapi_deleted_retention = {value}\n")
    wait_for("reload", lambda: can(server.doveadm, "reload"), 60)


def can(func, *args):
    """What func returns, or False: servers are restarted meanwhile."""
    try:
        return func(*args) is not None
    except (OSError, ValueError, subprocess.CalledProcessError,
            http.client.HTTPException):
        return False


def test_expiry(server):
    append_many(server, "Expiring", [mail(f"expiring {i}") for i in range(3)])
    client = DeletedClient(server)
    folder = client.folder("Expiring")
    mids = client.mids(client.table(folder))
    check_equal(client.delete(mids[:2], folder), (0, 0), "delete")
    client.close()
    # not kept any longer than that now
    set_retention(server, "1s")

    def expired():
        client = DeletedClient(server)
        rows = client.deleted(client.folder("Expiring"))
        client.close()
        return True if rows == [] else None
    wait_for("expiry", lambda: can(expired), 60)
    check_equal(subjects(server, "Expiring"), ["expiring 2"], "not deleted")
    wait_for("expiry of the others", lambda: not messages(
        server, "mapi-internal/deleted-*"), 60)


def test_nothing_kept(server):
    set_retention(server, "0")

    def gone():
        append_many(server, "Gone", [mail(f"gone {i}") for i in range(2)])
        client = DeletedClient(server)
        folder = client.folder("Gone")
        mids = client.mids(client.table(folder))
        before = client.deleted(folder)
        check_equal(client.delete(mids[:1], folder), (0, 0), "delete")
        check_equal(client.empty(folder), (0, 0), "empty")
        rows = client.deleted(folder)
        client.close()
        check_equal(state(server, "Gone"), {}, "left")
        return True if set(rows) <= set(before) else None
    wait_for("the new setting", lambda: can(gone), 60)


readlib.main()
