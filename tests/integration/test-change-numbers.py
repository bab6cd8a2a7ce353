#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# may-log: service.mapi.: child [0-9]+ killed with signal 9
"""Change numbers and what is made of them: a message's number grows with every
change of its content, by whomever, and no two states of it share one; keys are of
the store's replica; folders' numbers and counts tell what has happened in them."""

import contextlib
import http.client
import random
import struct
import subprocess
import threading
import time

from readlib import append, check, check_equal, imap_ok, imap_quote, \
    imap_session, kill_workers, main, TestFailure, wait_for
from savelib import BODY, CHANGE_KEY, CHANGE_NUMBER, Error, MESSAGE_FLAGS, \
    MID, MODIFIED, PCL, PSETID_COMMON, SAVE_FORCE, SAVE_READ_WRITE, Session, \
    SOURCE_KEY, SUBJECT
from writelib import mail

LOCAL_COMMIT = 0x67090040
COMMIT_MAX, DELETED_COUNT = 0x670A0040, 0x670B0003
HIERARCHY_CN, CONTENT_COUNT = 0x663E0003, 0x36020003
FLAG_STATUS, COLOR = 0x10900003, 0x10950003
SET_READ_FLAGS, MOVE_COPY, DELETE_MESSAGES = 0x66, 0x33, 0x1E
CREATE_FOLDER, DISPLAY_NAME = 0x1C, 0x3001001F
IDENTITY = (MID, CHANGE_NUMBER, CHANGE_KEY, PCL, SOURCE_KEY)
CONTENT = (SUBJECT, BODY, MODIFIED, FLAG_STATUS)


@contextlib.contextmanager
def session(server):
    client = Session(server)
    try:
        yield client
    finally:
        with contextlib.suppress(OSError):
            client.raw.request("Disconnect", struct.pack("<I", 0))
        client.close()


def globcnt(number):
    """Of an id as the number that it is in a property, if it's the store's own"""
    raw = struct.pack("<q", number)
    check_equal(raw[:2], b"\5\0", "replica id")
    return int.from_bytes(raw[2:], "big")


def replica(client):
    """The store's replica GUID"""
    return client.get_one(client.raw.open_folder(
        client.logon, client.inbox_id), SOURCE_KEY)[:16]


def key(client, number):
    return replica(client) + globcnt(number).to_bytes(6, "big")


def xids(pcl):
    """The XIDs of a predecessor change list"""
    found, pos = [], 0
    while pos < len(pcl):
        found.append(pcl[pos + 1:pos + 1 + pcl[pos]])
        check_equal(len(found[-1]), pcl[pos], "size of an XID")
        pos += 1 + pcl[pos]
    return found


def change_number(client, values):
    """The GLOBCNT of the change number, having checked what belongs to it"""
    check_equal(values[SOURCE_KEY], key(client, values[MID]), "source key")
    check_equal(values[CHANGE_KEY], key(client, values[CHANGE_NUMBER]),
                "change key")
    members = xids(values[PCL])
    check(values[CHANGE_KEY] in members, "change key isn't in the PCL")
    check_equal(len({xid[:16] for xid in members}), len(members),
                "replicas in the PCL")
    return globcnt(values[CHANGE_NUMBER])


class Watch:
    """What has been seen of a message, and that it's as it must be."""

    def __init__(self, client, mid, folder_id=None, fai=False):
        self.client, self.mid, self.fai = client, mid, fai
        self.folder_id = folder_id or client.inbox_id
        self.seen = {}
        self.last = None
        self.look("at first")

    def row(self):
        rows = [row for row in self.client.contents(
            self.folder_id, IDENTITY, fai=self.fai)
            if row[MID] == self.mid]
        check_equal(len(rows), 1, "rows of the message")
        return rows[0]

    def content(self):
        message = self.client.open_message(self.mid, self.folder_id)
        values = self.client.get(message, IDENTITY + CONTENT +
                                 (MESSAGE_FLAGS,))[0]
        self.client.release(message)
        check_equal({tag: values[tag] for tag in IDENTITY}, self.row(),
                    "table and message")
        return values

    def look(self, what, grown=None):
        """grown: TRUE if the number must be another one, FALSE if it mustn't,
        None if it may"""
        values = self.content()
        number = change_number(self.client, values)
        # reading isn't content
        content = tuple(values.get(tag) for tag in CONTENT)
        if self.last is not None:
            check(number >= self.last, f"{what}: change number went back")
            if grown is not None:
                check_equal(number > self.last, grown, f"{what}: grown")
        check_equal(self.seen.setdefault(number, content), content,
                    f"{what}: two states share a change number")
        self.last = number
        return number


def modify(client, mid, values, folder_id=None):
    message = client.open_message(mid, folder_id)
    check_equal(client.set(message, values), {}, "problems")
    check_equal(client.save(message), mid, "id after saving")
    client.release(message)


def create(client, subject, folder_id=None, fai=False):
    message = client.create(folder_id, fai)
    client.set(message, {SUBJECT: subject, BODY: "Text of " + subject})
    mid = client.save(message)
    client.release(message)
    return mid


def imap_store(server, mailbox, subject, change, flags):
    with imap_session(server) as imap:
        imap_ok(imap.select(imap_quote(mailbox)))
        uids = imap_ok(imap.uid("SEARCH", "SUBJECT", imap_quote(subject)))
        imap_ok(imap.uid("STORE", uids[0].decode().split()[-1], change, flags))


def set_read(client, mid, flags, folder_id=None):
    folder = client.raw.open_folder(client.logon,
                                    folder_id or client.inbox_id)
    reader = client.rop(SET_READ_FLAGS, struct.pack(
        "<BBHQ", 0, flags, 1, mid), [folder])
    check_equal(reader.get("B"), 0, "PartialCompletion")
    client.release(folder)


def exercise(server, client, watch, mailbox, subject):
    """All kinds of changes of a message"""
    mid, fid = watch.mid, watch.folder_id
    named = client.ids([(PSETID_COMMON, 0x8530)])[0] << 16 | 0x001F
    for step in range(3):
        modify(client, mid, {named: f"bag {step}"}, fid)
        watch.look("a property of the bag", grown=True)
        modify(client, mid, {BODY: f"other text {step}"}, fid)
        watch.look("a body", grown=True)
        if watch.fai:
            continue
        modify(client, mid, {FLAG_STATUS: 2 - step % 2}, fid)
        watch.look("a flag by MAPI", grown=True)
        set_read(client, mid, 0, fid)
        watch.look("marked as read", grown=False)
        set_read(client, mid, 4, fid)
        watch.look("marked as unread", grown=False)
        imap_store(server, mailbox, subject, "+FLAGS", "(\\Answered)")
        watch.look("a flag by IMAP", grown=True)
        imap_store(server, mailbox, subject, "-FLAGS", "(\\Answered)")
        watch.look("a flag by IMAP", grown=True)
        imap_store(server, mailbox, subject, "+FLAGS", "(\\Seen)")
        watch.look("read by IMAP")
        # a change and a read state right after each other
        modify(client, mid, {named: f"again {step}"}, fid)
        set_read(client, mid, 4, fid)
        set_read(client, mid, 0, fid)
        watch.look("both", grown=True)
        # nothing that would be a change
        set_read(client, mid, 0, fid)
        watch.look("read already", grown=False)


def test_messages(server):
    with session(server) as client:
        watch = Watch(client, create(client, "made by MAPI"))
        exercise(server, client, watch, "INBOX", "made by MAPI")
    append(server, "INBOX", mail("made by IMAP"))
    with session(server) as client:
        (mid,) = [row[MID] for row in client.contents(
            client.inbox_id, (MID, SUBJECT))
            if row[SUBJECT] == "made by IMAP"]
        watch = Watch(client, mid)
        exercise(server, client, watch, "INBOX", "made by IMAP")


def test_associated(server):
    with session(server) as client:
        watch = Watch(client, create(client, "configuration", fai=True),
                      fai=True)
        exercise(server, client, watch, None, "configuration")


def move(client, mids, source, dest, copy):
    handles = [client.raw.open_folder(client.logon, fid)
               for fid in (source, dest)]
    reader = client.rop(MOVE_COPY, struct.pack(
        f"<BH{len(mids)}QBB", 1, len(mids), *mids, 0, copy), handles)
    check_equal(reader.get("B"), 0, "PartialCompletion")
    for handle in handles:
        client.release(handle)


def test_move_copy(server):
    """Copies, and what has been moved, are new messages."""
    append(server, "Elsewhere", mail("there before"))
    with session(server) as client:
        elsewhere = client.folder_id("Elsewhere")
        mid = create(client, "moving")
        original = Watch(client, mid)
        modify(client, mid, {BODY: "changed"})
        number = original.look("before", grown=True)
        mids = {mid}
        for copy, source, dest in ((1, client.inbox_id, elsewhere),
                                   (0, client.inbox_id, elsewhere),
                                   (0, elsewhere, client.inbox_id),
                                   (1, client.inbox_id, client.inbox_id)):
            before = {row[MID] for row in client.contents(dest, (MID,))}
            move(client, [mid], source, dest, copy)
            (new,) = {row[MID] for row in client.contents(dest, (MID,))} - \
                before
            check(new not in mids, "id is used again")
            mids.add(new)
            if copy:
                check_equal(original.look("copied", grown=False), number,
                            "original's change number")
            else:
                check(mid not in [row[MID] for row in client.contents(
                    source, (MID,))], "it's still there")
            watch = Watch(client, new, dest)
            check_equal(watch.content()[BODY].strip(), "changed", "body")
            modify(client, new, {BODY: f"changed {copy}"}, dest)
            watch.look("changed", grown=True)
            modify(client, new, {BODY: "changed"}, dest)
            watch.look("changed", grown=True)
            if not copy:
                mid, original = new, watch
                number = watch.last


def test_modified(server):
    """PidTagLastModificationTime grows when a client saves, also if that only
    changes flags."""
    with session(server) as client:
        mid = create(client, "times")
        watch = Watch(client, mid)
        last = 0
        named = client.ids([(PSETID_COMMON, 0x8531)])[0] << 16 | 0x001F
        for values in ({BODY: "one"}, {named: "x"}, {BODY: "two"},
                       {FLAG_STATUS: 2}, {FLAG_STATUS: 1}, {FLAG_STATUS: 2}):
            modify(client, mid, values)
            watch.look("saved", grown=True)
            now = watch.content()[MODIFIED]
            check(now > last, f"PidTagLastModificationTime after {values}")
            last = now

    append(server, "INBOX", mail("flagged"))
    with session(server) as client:
        mid = [row[MID] for row in client.contents(
            client.inbox_id, (MID, SUBJECT)) if row[SUBJECT] == "flagged"][0]
        watch = Watch(client, mid)
        last = watch.content()[MODIFIED]
        for values in ({FLAG_STATUS: 2}, {FLAG_STATUS: 0}):
            modify(client, mid, values)
            watch.look("flagged", grown=True)
            now = watch.content()[MODIFIED]
            check(now > last, f"PidTagLastModificationTime after {values}")
            last = now


def test_at_once(server):
    """A property that is changed while others change read state, flags and
    properties of the message: each change has a number of its own."""
    failures = []
    stop = threading.Event()
    with session(server) as client:
        mid = create(client, "busy")
        names = client.ids([(PSETID_COMMON, 0x8540 + n) for n in range(2)])

    def run(func):
        def work():
            try:
                while not stop.is_set():
                    func()
            except Exception as exc:
                failures.append(exc)
        thread = threading.Thread(target=work)
        thread.start()
        return thread

    with contextlib.ExitStack() as stack:
        readers = stack.enter_context(session(server))
        other = stack.enter_context(session(server))
        client = stack.enter_context(session(server))
        flags = [0, 4]

        def read():
            set_read(readers, mid, flags[0])
            flags.reverse()

        def change():
            message = other.open_message(mid)
            other.set(message, {names[1] << 16 | 0x0003: random.getrandbits(30)})
            other.save(message, SAVE_READ_WRITE | SAVE_FORCE)
            other.release(message)

        threads = [run(read), run(change)]
        last, tag = 0, names[0] << 16 | 0x001F
        try:
            for i in range(150):
                message = client.open_message(mid)
                client.set(message, {tag: f"value {i}"})
                client.save(message, SAVE_READ_WRITE | SAVE_FORCE)
                client.release(message)
                message = client.open_message(mid)
                values = client.get(message, IDENTITY + (tag,))[0]
                client.release(message)
                number = change_number(client, values)
                check(number > last, f"change {i} has no number of its own")
                last = number
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        check_equal(failures, [], "failures")


# --- folders --------------------------------------------------------------------

FOLDER = (CHANGE_NUMBER, CHANGE_KEY, PCL, SOURCE_KEY, COMMIT_MAX,
          DELETED_COUNT, HIERARCHY_CN, CONTENT_COUNT)


def folder_state(client, folder_id):
    """Its change number is that of the folder, whatever is in it."""
    folder = client.raw.open_folder(client.logon, folder_id)
    values = client.get(folder, FOLDER)[0]
    client.release(folder)
    values[MID] = struct.unpack("<q", folder_id)[0]
    values[CHANGE_NUMBER] = change_number(client, values)
    return values


def test_folder(server):
    append(server, "Counted", mail("first"))
    with session(server) as client:
        fid = client.folder_id("Counted")
        states = [folder_state(client, fid)]

        def look(what, deleted):
            """What happens to messages: the folder itself is as it was."""
            def has_changed():
                state = folder_state(client, fid)
                return state if state[COMMIT_MAX] > states[-1][COMMIT_MAX] \
                    else None

            state = wait_for(f"{what}: PidTagLocalCommitTimeMax grows",
                             has_changed)
            check_equal(state[CHANGE_NUMBER], states[0][CHANGE_NUMBER],
                        f"{what}: the folder's change number")
            check_equal(state[DELETED_COUNT] > states[-1][DELETED_COUNT],
                        deleted, f"{what}: PidTagDeletedCountTotal grows")
            check(state[DELETED_COUNT] >= states[-1][DELETED_COUNT],
                  f"{what}: PidTagDeletedCountTotal")
            states.append(state)

        append(server, "Counted", mail("second"))
        look("new mail", False)
        mid = create(client, "third", fid)
        look("created", False)
        append(server, "Counted", mail("fourth"))
        imap_store(server, "Counted", "second", "+FLAGS", "(\\Flagged)")
        look("flags", False)
        folder = client.raw.open_folder(client.logon, fid)
        client.rop(DELETE_MESSAGES, struct.pack("<BBHQ", 0, 0, 1, mid),
                   [folder])
        look("deleted", True)
        with imap_session(server) as imap:
            imap_ok(imap.select("Counted"))
            imap_ok(imap.store("1", "+FLAGS", "(\\Deleted)"))
            imap_ok(imap.expunge())
        look("expunged", True)
        rows = client.contents(fid, (MID,))
        move(client, [rows[0][MID]], fid, client.inbox_id, 0)
        look("moved away", True)
        check_equal(states[-1][CONTENT_COUNT], 1, "what is left")


def test_hierarchy(server):
    with session(server) as client:
        top_id = client.raw.logon_ids[3]
        top = client.raw.open_folder(client.logon, top_id)
        numbers, hierarchy = set(), folder_state(client, top_id)[HIERARCHY_CN]

        def look(what, fid):
            nonlocal hierarchy
            state = folder_state(client, fid)
            check(state[CHANGE_NUMBER] > max(numbers, default=0), what)
            numbers.add(state[CHANGE_NUMBER])
            now = folder_state(client, top_id)[HIERARCHY_CN]
            check(now > hierarchy, f"{what}: parent's hierarchy change number")
            hierarchy = now

        reader = client.rop(CREATE_FOLDER, struct.pack(
            "<BBBBB", 1, 1, 1, 0, 0)[1:] + "Tree".encode("utf-16le") +
            b"\0\0\0\0", [top, 0xffffffff], 1)
        fid, folder = reader.bytes(8), client.handles[1]
        look("created", fid)
        client.set(folder, {0x3004001F: "comment"})
        look("comment", fid)
        client.set(folder, {DISPLAY_NAME: "Renamed"})
        look("renamed", fid)


# --- indexes --------------------------------------------------------------------

def all_states(client, folders):
    return {(fid, row[MID]): row for fid in folders
            for row in client.contents(fid, IDENTITY + (SUBJECT,))}


def test_resync(server):
    """What has been rebuilt isn't older than it was."""
    user = server.users[0]
    with session(server) as client:
        folders = [client.inbox_id, client.folder_id("Elsewhere")]
        mid = create(client, "before resync")
        watch = Watch(client, mid)
        modify(client, mid, {BODY: "changed before"})
        watch.look("before", grown=True)
        before = all_states(client, folders)
        check(len(before) > 5, "messages")
    for step in range(2):
        wait_for("end of the session",
                 lambda: user not in server.doveadm("who"))
        subprocess.run([server.env["DOVEADM"], "force-resync", "-u", user,
                        "*"], check=True, stderr=subprocess.DEVNULL)
        with session(server) as client:
            after = all_states(client, folders)
            check_equal(set(after), set(before), "messages")
            for ident, row in after.items():
                check_equal(row[SOURCE_KEY], before[ident][SOURCE_KEY], "key")
                check(change_number(client, row) >=
                      globcnt(before[ident][CHANGE_NUMBER]),
                      f"{row[SUBJECT]}: change number went back")
            watch.client = client
            watch.look("resync")
            modify(client, mid, {BODY: f"changed after {step}"})
            watch.look("changed", grown=True)
            imap_store(server, "INBOX", "before resync", "+FLAGS",
                       "(\\Answered)")
            watch.look("a flag by IMAP", grown=True)
            imap_store(server, "INBOX", "before resync", "-FLAGS",
                       "(\\Answered)")
            watch.look("a flag by IMAP", grown=True)
            before = all_states(client, folders)


def reopen(server, mid):
    """A session with the message open; None if that isn't possible: a broken mdbox
    is found broken first, and mended when it's closed."""
    client = Session(server)
    try:
        return client, client.open_message(mid)
    except Error:
        client.close()
        return None


def test_killed(server):
    """A worker that dies while it changes a property: a state that nobody has been
    told of isn't the one before with the same number. (The last test, as an mdbox
    doesn't get over it soon.)"""
    rand = random.Random(5)
    with session(server) as client:
        mid = create(client, "unlucky")
        tag = client.ids([(PSETID_COMMON, 0x8532)])[0] << 16 | 0x001F
        start = time.monotonic()
        for i in range(10):
            modify(client, mid, {tag: f"-1 {i}"})
        duration = (time.monotonic() - start) / 10
    seen, acknowledged = {}, (-1, 9)
    for step in range(20):
        client, message = wait_for("the message can be opened",
                                   lambda: reopen(server, mid))
        values = client.get(message, IDENTITY + (tag,))[0]
        client.release(message)
        number = change_number(client, values)
        check_equal(seen.setdefault(number, values[tag]), values[tag],
                    "two states share a change number")
        check_equal(max(seen), number, "the last change number")
        check(tuple(map(int, values[tag].split())) >= acknowledged,
              f"{values[tag]} is there, after {acknowledged}")
        killer = threading.Timer(rand.uniform(0, 2) * duration, kill_workers,
                                 (server,))
        killer.start()
        try:
            for i in range(50):
                modify(client, mid, {tag: f"{step} {i}"})
                acknowledged = (step, i)
        except (OSError, http.client.HTTPException, Error, TestFailure,
                ValueError):
            pass  # there's no answer, or one that the session is gone
        killer.join()
        client.close()


if __name__ == "__main__":
    main()
