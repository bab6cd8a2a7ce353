#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 500
# may-log: service.mapi.: child [0-9]+ killed with signal 9
"""Properties that Outlook sets on folders and on the mailbox: each is read as it was
set, by others and later, whatever happens in between."""

import os
import random
import struct
import subprocess
import threading
import http.client

import rawmapi
from folderlib import Client, DEL_FOLDERS, DEL_MESSAGES, EC_ACCESS_DENIED, \
    EC_COMPUTED, FINDER, INBOX, ROOT, imap_names, session, utf16
from readlib import check, check_equal, imap_session, in_the_end, \
    kill_workers, main, TestFailure, wait_for

IPM_DRAFTS, FREE_BUSY, REN_EX = 0x36D70102, 0x36E41102, 0x36D90102
FOLDER_FLAGS, UNDOCUMENTED, VIEW = 0x36DA0102, 0x36DE0003, 0x36DF0102
EC_ERROR = 0x80004005
OOF_STATE, SENT_MAIL, COMMENT = 0x661D000B, 0x674000FB, 0x3004001F
CHANGE_NUMBER, COMMIT_TIME = 0x67A40014, 0x670A0040
CONTENT_COUNT, SUBFOLDERS = 0x36020003, 0x360A000B
GUID = bytes(range(16))


def binary(data):
    return struct.pack("<H", len(data)) + data


def multiple_binary(*values):
    return struct.pack("<I", len(values)) + b"".join(map(binary, values))


SINGLE = {
    0x02: lambda r: r.randbytes(2), 0x03: lambda r: r.randbytes(4),
    0x04: lambda r: struct.pack("<f", r.uniform(-1e9, 1e9)),
    0x05: lambda r: struct.pack("<d", r.uniform(-1e99, 1e99)),
    0x06: lambda r: r.randbytes(8),
    0x07: lambda r: struct.pack("<d", r.uniform(0, 1e6)),
    0x14: lambda r: r.randbytes(8), 0x40: lambda r: r.randbytes(8),
    0x48: lambda r: r.randbytes(16),
    0x1f: lambda r: utf16("".join(
        r.choice("ab \u00e4\u20ac\U0001f600/~\n")
        for _ in range(r.randrange(30)))),
    0x102: lambda r: binary(r.randbytes(r.choice((0, 1, 70, 500, 2100)))),
}


def random_value(rand):
    """(type, bytes)"""
    kind = rand.choice(list(SINGLE) + [0x0b])
    if kind == 0x0b:
        return kind, rand.choice((b"\0", b"\1"))
    if rand.random() < 0.3:
        count = rand.randrange(1, 4)
        return kind | 0x1000, struct.pack("<I", count) + b"".join(
            SINGLE[kind](rand) for _ in range(count))
    return kind, SINGLE[kind](rand)


def set_all(client, handle, props):
    check_equal(client.set_props(handle, props), (0, []), "RopSetProperties")


def check_all(client, handle, props, what):
    for tag, value in props:
        check_equal(client.get_prop(handle, tag), value, f"{what}: {tag:08x}")
    missing = {tag for tag, _ in props} - set(client.list_props(handle))
    check_equal(missing, set(), f"{what}: not in the list")


def wait_for_end(server):
    """No session is left in which something may be remembered."""
    wait_for("end of the sessions",
             lambda: server.users[0] not in server.doveadm("who"))


def test_first_start(server):
    """What Outlook writes when it's started for the first time."""
    pointers = [(IPM_DRAFTS, binary(b"entry id")),
                (FREE_BUSY, multiple_binary(b"", b"message", b"", b"folder")),
                (0x36D50102, binary(b"reminders")),
                (0x36D81102, multiple_binary(*[b"x" * 46] * 6)),
                (REN_EX, binary(b"r" * 900))]
    view = [(FOLDER_FLAGS, binary(bytes.fromhex("010400001000"))),
            (UNDOCUMENTED, struct.pack("<I", 7)),
            (0x36E5001F, utf16("IPM.Note.Form"))]
    store = [(OOF_STATE, b"\1"), (SENT_MAIL, binary(b"\1" + b"f" * 20)),
             (COMMENT, utf16("my mail")), (REN_EX, binary(b"store" * 100))]
    with session(server) as client:
        named = [(client.named_id(GUID, 0x8501) << 16 | 0x0003, b"\1\2\3\4"),
                 (client.named_id(GUID, "name") << 16 | 0x001f, utf16("x"))]
        handles = [client.open(client.special(i)) for i in (ROOT, INBOX)]
        for handle in handles:
            check_equal(client.get_prop(handle, UNDOCUMENTED),
                        rawmapi.EC_NOT_FOUND, "before")
            set_all(client, handle, pointers + view + named)
            check_all(client, handle, pointers + view + named, "at once")
        set_all(client, client.logon, store + named)
        before = imap_names(server)
    wait_for_end(server)
    with session(server) as client:
        for i in (ROOT, INBOX):
            handle = client.open(client.special(i))
            check_all(client, handle, pointers + view + named, "folder")
            check_equal(client.set_props(handle, [
                (CONTENT_COUNT, b"\0" * 4), (SUBFOLDERS, b"\1")]),
                (0, [(0, CONTENT_COUNT, EC_COMPUTED),
                     (1, SUBFOLDERS, EC_COMPUTED)]), "computed")
        check_all(client, client.logon, store + named, "store")
        # as columns of a table
        root = client.open(client.special(ROOT))
        inbox = client.open(client.special(INBOX))
        answer = client.rop(
            struct.pack("<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1, 4) +
            struct.pack("<BBBBHII", rawmapi.ROP_SET_COLUMNS, 0, 1, 0, 2,
                        0x67480014, UNDOCUMENTED) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 1, 0, 1, 100),
            [root, 0xffffffff])
        check(client.special(INBOX) + struct.pack("<I", 7) in answer.rops or
              client.special(INBOX) + b"\0" + struct.pack("<I", 7) in
              answer.rops, "column")
        check_equal(client.delete_props(inbox, [
            UNDOCUMENTED, IPM_DRAFTS, CONTENT_COUNT, 0x3001001F, VIEW]),
            (0, [(2, CONTENT_COUNT, EC_COMPUTED),
                 (3, 0x3001001F, EC_ACCESS_DENIED)]), "RopDeleteProperties")
        for tag in (UNDOCUMENTED, IPM_DRAFTS):
            check_equal(client.get_prop(inbox, tag), rawmapi.EC_NOT_FOUND,
                        "deleted")
        check_all(client, root, pointers + view, "the other folder")
    check_equal(imap_names(server) - before, set(), "mailboxes")


def test_random(server):
    seed = int(os.environ.get("TEST_SEED", "0")) or random.getrandbits(32)
    print(f"TEST_SEED={seed}")
    rand = random.Random(seed)
    wanted = {}
    with session(server) as client:
        fids = [client.special(i) for i in (ROOT, INBOX, FINDER)]
        fids.append(client.made(client.top, "Random")[1])
        ids = [client.named_id(GUID, i) for i in range(5)] + \
            list(range(0x6800, 0x6810))
        for _ in range(6):
            for fid in [None] + fids:
                props = []
                for ident in rand.sample(ids, rand.randrange(1, 8)):
                    kind, value = random_value(rand)
                    wanted.setdefault(fid, {})[ident] = (kind, value)
                    props.append((ident << 16 | kind, value))
                set_all(client, client.logon if fid is None
                        else client.open(fid), props)
    wait_for_end(server)
    with session(server) as client:
        for fid, props in wanted.items():
            check_all(client, client.logon if fid is None
                      else client.open(fid),
                      [(ident << 16 | kind, value)
                       for ident, (kind, value) in props.items()], f"{fid}")


def test_streams(server):
    large = random.Random(1).randbytes(400000)
    with session(server) as client:
        inbox = client.open(client.special(INBOX))
        value, stream = client.open_stream(inbox, VIEW, 1)
        check_equal(value, rawmapi.EC_NOT_FOUND, "there's no value")
        check_equal(client.open_stream(inbox, 0x65E00102, 2)[0],
                    EC_ACCESS_DENIED, "computed")
        value, stream = client.open_stream(inbox, VIEW, 2)
        check_equal(value, 0, "RopOpenStream")
        client.write_stream(stream, large)
        check_equal(client.get_prop(inbox, VIEW), rawmapi.EC_NOT_FOUND,
                    "before it's committed")
        check_equal(client.commit_stream(stream), 0, "RopCommitStream")
        client.write_stream(stream, b"more")
        # releasing a stream commits it, too; the folder may go first
        client.release(inbox)
        client.release(stream)
    wait_for_end(server)
    with session(server) as client:
        inbox = client.open(client.special(INBOX))
        check(client.read_stream(inbox, VIEW) == large + b"more", "read")
        check_equal(client.get_prop(inbox, VIEW), 0x8007000E, "too large")
        check_equal(client.delete_props(inbox, [VIEW]), (0, []), "deleted")
        check_equal(client.open_stream(inbox, VIEW)[0], rawmapi.EC_NOT_FOUND,
                    "deleted")


def test_concurrent(server):
    """Two sessions write to one folder at the same time: nothing gets lost."""
    count, errors = 40, []
    with session(server) as client:
        _, fid = client.made(client.top, "Both")

    def write(nr):
        try:
            with session(server) as client:
                folder = client.open(fid)
                for i in range(count):
                    set_all(client, folder, [
                        (0x6900 + nr << 16 | 3, struct.pack("<I", i)),
                        (0x6910 + i % 7 << 16 | 0x102,
                         binary(bytes([nr]) * (i * 60))),
                        (0x6920 + nr << 16 | 0x102,
                         binary(bytes([i]) * (2000 + i * 10)))])
        except Exception as exc:  # for the main thread
            errors.append(exc)

    threads = [threading.Thread(target=write, args=(nr,)) for nr in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(errors, [], "errors")
    with session(server) as client:
        folder = client.open(fid)
        for nr in (1, 2):
            check_all(client, folder, [
                (0x6900 + nr << 16 | 3, struct.pack("<I", count - 1)),
                (0x6920 + nr << 16 | 0x102,
                 binary(bytes([count - 1]) * (2000 + (count - 1) * 10)))],
                f"session {nr}")
        for i in range(count - 7, count):
            value = client.get_prop(folder, 0x6910 + i % 7 << 16 | 0x102)
            check(value in [binary(bytes([nr]) * (i * 60)) for nr in (1, 2)],
                  "both have written it")


def test_folders(server):
    """Properties go where the folder goes."""
    props = [(UNDOCUMENTED, b"\5\0\0\0"), (REN_EX, binary(b"x" * 3000))]
    with session(server) as client:
        handle, fid = client.made(client.top, "Goes")
        set_all(client, handle, props)
        cn = client.get_prop(handle, CHANGE_NUMBER)
        time = struct.unpack("<Q", client.get_prop(handle, COMMIT_TIME))[0]
        set_all(client, handle, [(UNDOCUMENTED, b"\6\0\0\0")])
        check(client.get_prop(handle, CHANGE_NUMBER)[2:] > cn[2:],
              "change number")
        check(struct.unpack("<Q", client.get_prop(handle, COMMIT_TIME))[0] >
              time, "PidTagLocalCommitTimeMax")
        set_all(client, handle, props)
        with imap_session(server) as imap:
            check_equal(imap.rename("Goes", "Went")[0], "OK", "RENAME")
        check_all(client, client.open(fid), props, "renamed over IMAP")
        inbox = client.open(client.special(INBOX))
        check_equal(client.move(client.top, inbox, fid, "Moved"), (0, 0),
                    "RopMoveFolder")
        check_equal(client.copy(inbox, client.top, fid, "Copied"), (0, 0),
                    "RopCopyFolder")
        copied, copied_fid = client.made(client.top, "Copied",
                                         open_existing=1)
        check_all(client, copied, props, "copy")
        check_equal(client.delete(inbox, fid, DEL_FOLDERS | DEL_MESSAGES),
                    (0, 0), "RopDeleteFolder")
        check_all(client, copied, props, "copy")
    wait_for_end(server)
    with session(server) as client:
        check_all(client, client.open(copied_fid), props, "copy")
        again, _ = client.made(inbox_of(client), "Moved")
        check_equal(client.get_prop(again, UNDOCUMENTED),
                    rawmapi.EC_NOT_FOUND, "another folder of the name")


def inbox_of(client):
    return client.open(client.special(INBOX))


def test_survives(server):
    """force-resync, a restart, replication"""
    props = [(UNDOCUMENTED, b"\5\0\0\0"), (REN_EX, binary(b"y" * 3000)),
             (0x6800001F, utf16("\u20ac"))]
    with session(server) as client:
        named = [(client.named_id(GUID, "survives") << 16 | 3, b"\1\2\3\4")]
        root = client.open(client.special(ROOT))
        for handle in (root, client.logon):
            set_all(client, handle, props + named)

    def check_there(what, user=None):
        client = Client(server, user)
        try:
            for handle in (client.open(client.special(ROOT)), client.logon):
                check_all(client, handle, props + named, what)
        finally:
            client.close()

    wait_for_end(server)
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u",
                    server.users[0], "*"], check=True,
                   stderr=subprocess.DEVNULL)
    check_there("force-resync")
    server.restart()
    check_there("restart")
    wait_for_end(server)
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], server.users[1],
        {"maildir": "Maildir"}.get(server.format, server.format))
    proc = subprocess.run([server.env["DOVEADM"], "backup", "-u",
                           server.users[0], location],
                          stderr=subprocess.PIPE, text=True)
    check(proc.returncode in (0, 2), f"doveadm backup: {proc.stderr}")
    check_there("replica", server.users[1])


def look_again(server, tags):
    """A new session, and what it finds"""
    client = Client(server)
    try:
        inbox = client.open(client.special(INBOX))
        found = {tag: client.get_prop(inbox, tag) for tag in tags}
        check(EC_ERROR not in found.values(), "a value can't be read")
        return client, inbox, found
    except Exception:
        client.close()
        raise


def test_killed(server):
    """What was acknowledged is there, unless something came later. What wasn't may
    be there; it may even appear later, as an mdbox finds it when it is rebuilt."""
    rand = random.Random(2)
    tags = [0x6A00 + i << 16 | 0x102 for i in range(4)]
    wanted = {}
    for i in range(10):
        client, inbox, found = in_the_end(
            server, lambda: look_again(server, wanted),
            (TestFailure, ValueError, OSError, http.client.HTTPException))
        for tag, values in wanted.items():
            value = found[tag]
            check(value in values, f"round {i}: {tag:08x}: {value!r:.60} "
                  f"isn't one of {values!r:.200}")
        killer = threading.Timer(rand.uniform(0, 0.3), kill_workers, (server,))
        killer.start()
        try:
            while True:
                tag = rand.choice(tags)
                value = binary(rand.randbytes(rand.choice((10, 5000))))
                wanted.setdefault(tag, [rawmapi.EC_NOT_FOUND]).append(value)
                set_all(client, inbox, [(tag, value)])
                wanted[tag] = [value]
        except (OSError, http.client.HTTPException, TestFailure):
            pass  # there's no answer, or one that the session is gone
        killer.join()
        client.close()


if __name__ == "__main__":
    main()
