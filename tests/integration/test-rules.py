#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# may-log: service.mapi.: child [0-9]+ killed with signal 9
"""Rules of folders: what is stored comes back as it was, whoever else changes
rules at the same time, whatever becomes of the folder, the worker, the indexes."""

import contextlib
import http.client
import os
import random
import struct
import subprocess
import threading
import time

import rawmapi
from rawmapi import EC_INVALID_PARAMETER, EC_NOT_FOUND, EC_NOT_SUPPORTED, \
    ROP_FIND_ROW, ROP_RESTRICT, ROP_SEEK_ROW, ROP_SORT
from readlib import check, check_equal, kill_workers, main, TestFailure, \
    wait_for
from rulelib import actions, ACTIONS, ADD, Client, CONDITION, contains, \
    either, GET_RULES_TABLE, ID, LEVEL, MODIFY, NAME, NONE, PROVIDER, \
    PROVIDER_DATA, REMOVE, row, rule, SEQUENCE, SMALL, STATE, SUBJECT, \
    USER_FLAGS, utf16, value
from savelib import Session

EC_OUT_OF_MEMORY = 0x8007000E
INBOX, IPM_SUBTREE = 4, 3
DAM_SERVER_EID, DAM_ORIGINAL = 0x674100FB, 0x66460102
DAM_BACK_PATCHED = 0x6647000B
CREATE, DELETE_FOLDER, MOVE_FOLDER, COPY_FOLDER = 0x1C, 0x1D, 0x35, 0x36
# DEL_MESSAGES, DEL_FOLDERS; DELETE_HARD_DELETE
DELETE_ALL, DELETE_HARD = 0x05, 0x10


@contextlib.contextmanager
def session(server, user=None):
    client = Client(server, user)
    try:
        yield client
    finally:
        client.close()


def clear(client):
    check_equal(client.modify([], replace=1), 0, "removing all rules")


def without_id(values):
    return {tag: val for tag, val in values.items() if tag != ID}


def rich_rule(client):
    """A rule with a bit of everything."""
    named = client.property_id()
    condition = struct.pack("<BH", 0, 4) + \
        either(contains("grüße 💐"), contains("second")) + \
        struct.pack("<BI", 8, named << 16 | 0x0003) + \
        struct.pack("<BBI", 4, 4, named << 16 | 0x001F) + \
        value(named << 16 | 0x001F, "named") + \
        struct.pack("<BB", 0x0A, 1) + value(0x60010102, b"from\0book") + \
        b"\1" + struct.pack("<BI", 9, 0x0E12000D) + \
        contains("someone", 0x3003001F)
    recipient = struct.pack("<BH", 1, 3) + value(0x3001001F, "Bob") + \
        value(0x3003001F, "bob@example.org") + value(0x0C150003, 1)
    eid = b"\1" + client.raw.logon_ids[7] + bytes(12)
    acts = actions(
        (0x01, 0, 0x1234, struct.pack("<BH", 1, 21) + b"s" * 21 +
         struct.pack("<H", len(eid)) + eid),
        (0x05, 0, 0, b"opaque \0 bytes"),
        (0x06, 0, 0, struct.pack("<I", 0x26)),
        (0x07, 3, 0, struct.pack("<H", 2) + recipient * 2),
        (0x03, 1, 0, client.raw.logon_ids[4] + bytes(8) + bytes(range(16))),
        (0x09, 0, 0, value(named << 16 | 0x001F, "ünï")),
        (0x0B, 0, 0, b""))
    return rule("Grüße \ud800 of the first", 20, condition, acts,
                USER_FLAGS=-5, STATE=0x195, PROVIDER_DATA=bytes(range(200)) * 5)


def test_exact(server):
    with session(server) as client:
        fid = client.raw.logon_ids[INBOX]
        check_equal(client.has_rules(fid), 0, "no rules yet")
        check_equal(client.rules(), [], "rules")
        rich, plain = rich_rule(client), rule("plain", 10)
        client.add(rich, plain)
        check_equal(client.has_rules(fid), 1, "rules")
        found = client.rules()
        check_equal([without_id(r) for r in found], [dict(plain), dict(rich)],
                    "rules, in the order of their sequences")
        ids = [r[ID] for r in found]
        check(0 not in ids and ids[0] != ids[1], f"ids {ids}")
    with session(server) as client:
        check_equal(client.rules(), found, "rules in another session")
        clear(client)
        check_equal(client.has_rules(fid), 0, "no rules any more")


def test_change(server):
    with session(server) as client:
        client.add(rule("one", 1), rule("two", 2), rule("three", 3))
        one, two, three = client.rules()
        # all at once, and properties that aren't named stay
        check_equal(client.modify([
            row(MODIFY, [(ID, two[ID]), (NAME, "zwei"), (SEQUENCE, 9)]),
            row(REMOVE, [(ID, one[ID])]),
            row(ADD, rule("four", 5))]), 0, "RopModifyRules")
        found = client.rules()
        check_equal(found[0], three, "untouched")
        check_equal(found[2], {**two, NAME: "zwei", SEQUENCE: 9}, "modified")
        check_equal(without_id(found[1]), dict(rule("four", 5)), "added")
        seen = {r[ID] for r in (one, two, three)}
        check(found[1][ID] not in seen, "id reused")
        # flags that only the server sets are ignored
        check_equal(client.modify([row(MODIFY, [
            (ID, two[ID]), (STATE, 0x53)])]), 0, "RopModifyRules")
        check_equal(client.rules()[2][STATE], 0x11, "PidTagRuleState")
        # an id is no obstacle: tools add what they have read
        check_equal(client.modify([row(ADD, list(found[0].items()))],
                                  replace=1), 0, "replace")
        (only,) = client.rules()
        check_equal(without_id(only), without_id(found[0]), "replaced")
        check(only[ID] not in seen, "id reused")
        check_equal(client.modify([]), 0, "nothing to do")
        check_equal(client.rules(), [only], "rules")
        clear(client)


def test_errors(server):
    """Nothing is changed by what is refused."""
    good = rule("good")
    missing = [[v for v in good if v[0] != tag]
               for tag in (PROVIDER, CONDITION, ACTIONS)]
    with session(server) as client:
        client.add(rule("kept"))
        before = client.rules()
        ident = before[0][ID]
        change = row(MODIFY, [(ID, ident), (NAME, "changed")])
        for what, rows, error in (
                ("neither", [row(0, good)], EC_INVALID_PARAMETER),
                ("both", [row(3, good)], EC_INVALID_PARAMETER),
                ("no properties", [row(ADD, [])], EC_INVALID_PARAMETER),
                ("no provider", [row(ADD, missing[0])], EC_INVALID_PARAMETER),
                ("no condition", [row(ADD, missing[1])], EC_INVALID_PARAMETER),
                ("no actions", [row(ADD, missing[2])], EC_INVALID_PARAMETER),
                ("other property", [row(ADD, good + [(SUBJECT, "x")])],
                 EC_INVALID_PARAMETER),
                ("other type", [row(MODIFY, [
                    (ID, ident), (0x66760102, b"x")])], EC_INVALID_PARAMETER),
                ("level", [row(ADD, rule("x", LEVEL=1))],
                 EC_INVALID_PARAMETER),
                ("no id", [row(MODIFY, [(NAME, "x")])], EC_INVALID_PARAMETER),
                ("no id", [row(REMOVE, [(NAME, "x")])], EC_INVALID_PARAMETER),
                ("unknown", [row(MODIFY, [(ID, ident + 1), (NAME, "x")])],
                 EC_NOT_FOUND),
                ("unknown", [row(REMOVE, [(ID, 77)])], EC_NOT_FOUND)):
            check_equal(client.modify([change, row(ADD, good)] + rows), error,
                        what)
            check_equal(client.rules(), before, what)
        check_equal(client.modify([row(REMOVE, [(ID, ident)])], replace=1),
                    EC_INVALID_PARAMETER, "removing with replace")
        check_equal(client.modify([], replace=3), EC_INVALID_PARAMETER,
                    "unknown flag")
        check_equal(client.rules(), before, "rules")
        # a condition that is none
        answer = client.raw.execute(
            struct.pack("<BBBBH", 0x41, 0, 0, 0, 1) +
            row(ADD, rule("x", condition=b"\x77junk")), [client.inbox])
        check(answer.code != 0 or answer.error != 0 or
              answer.return_value() != 0, "broken condition")
    with session(server) as client:
        check_equal(client.rules(), before, "rules")
        # flags of the table
        for flags in (1, 0x41, 0x80):
            answer = client.rop(struct.pack(
                "<BBBBB", GET_RULES_TABLE, 0, 0, 1, flags),
                [client.inbox, NONE])
            check_equal(answer.return_value(), EC_NOT_SUPPORTED,
                        f"TableFlags 0x{flags:x}")
        for rop in (struct.pack("<BBBBB", GET_RULES_TABLE, 0, 0, 1, 0x40),
                    struct.pack("<BBBBH", 0x41, 0, 0, 1, 0)):
            answer = client.rop(rop, [client.logon, NONE])
            check_equal(answer.return_value(), EC_NOT_SUPPORTED, "on a logon")
        clear(client)


def test_limits(server):
    with session(server) as client:
        # as large as a rule can be, it can still be read with all columns
        large = rule("large", PROVIDER_DATA=bytes(29 * 1024))
        client.add(large)
        table = client.table(SMALL + (CONDITION, ACTIONS))
        check_equal(client.query(table, 100)[0], 1, "rows")
        check_equal(without_id(client.rules()[0]), dict(large), "large rule")
        check_equal(client.modify([row(ADD, rule(
            "too large", PROVIDER_DATA=bytes(30 * 1024)))]),
            EC_OUT_OF_MEMORY, "one too large")
        # two halves that are too large together
        ident = client.rules()[0][ID]
        check_equal(client.modify([row(MODIFY, [
            (ID, ident), (NAME, "n" * 3000)])]), EC_OUT_OF_MEMORY, "growing")
        count, result = 1, 0
        while result == 0 and count < 20:
            result = client.modify([row(ADD, rule(
                "large", count, PROVIDER_DATA=bytes(29 * 1024)))])
            count += result == 0
        check_equal((count, result), (8, EC_OUT_OF_MEMORY), "all rules")
        check_equal(len(client.rules()), 8, "rules")
        # there's a way out
        check_equal(client.modify([row(REMOVE, [(ID, ident)])]), 0, "removing")
        client.add(rule("small"))
        clear(client)


def test_string8(server):
    """8-bit strings, of code page 1252, in and out"""
    tag8 = SUBJECT & ~0xffff | 0x1E
    wide = rule("naïve", condition=contains("grüße €"), acts=actions(
        (0x09, 0, 0, value(SUBJECT, "é"))))
    narrow = [(tag & ~0xffff | 0x1E, text.encode("cp1252"))
              if isinstance(text, str) else (tag, text)
              for tag, text in wide]
    narrow = [(tag, {CONDITION: contains("grüße €".encode("cp1252"), tag8),
                     ACTIONS: actions((0x09, 0, 0, value(tag8, b"\xe9")))
                     }.get(tag, val)) for tag, val in narrow]
    with session(server) as client:
        client.add(wide, narrow)
        check_equal([without_id(r) for r in client.rules()],
                    [dict(wide), dict(wide)], "Unicode")
        for tag in (CONDITION, ACTIONS):
            check_equal(client.raw_rows((tag,), flags=0),
                        [dict(narrow)[tag]] * 2, "8-bit")
        name8 = NAME & ~0xffff | 0x1E
        check_equal(client.raw_rows((name8,), flags=0),
                    [b"na\xefve\0"] * 2, "8-bit column")
        clear(client)


def test_table(server):
    """What can be done with the table, while others change the rules."""
    with session(server) as client, session(server) as other:
        client.add(*[rule(f"rule {i}", i) for i in range(5)])
        table = client.table((NAME,))
        answer = client.rop(
            struct.pack("<BBB", 0x17, 0, 0) +
            struct.pack("<BBBBiB", ROP_SEEK_ROW, 0, 0, 0, 3, 1) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 1),
            [table])
        check_equal(struct.unpack_from("<II", answer.rops, 6), (0, 5),
                    "position")
        check(answer.rops.endswith(b"\0" + utf16("rule 3")), "row")
        # the cursor stays at its row
        check_equal(other.modify([row(REMOVE, [
            (ID, other.rules()[0][ID])]), row(ADD, rule("zero", -7))]), 0,
            "RopModifyRules")
        other.add(rule("first", -8))
        answer = client.rop(
            struct.pack("<BBB", 0x17, 0, 0) +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 9),
            [table])
        check_equal(struct.unpack_from("<II", answer.rops, 6), (5, 6),
                    "position")
        check(answer.rops.endswith(b"\1\0\0" + utf16("rule 4")), "row")
        # FindRow and Restrict
        find = contains("rule 2", NAME)
        answer = client.rop(struct.pack(
            "<BBBBH", ROP_FIND_ROW, 0, 0, 0, len(find)) + find +
            b"\0\0\0", [table])
        check_equal(answer.return_value(), 0, "RopFindRow")
        check(answer.rops.endswith(utf16("rule 2")), "row")
        answer = client.rop(struct.pack(
            "<BBBBH", ROP_RESTRICT, 0, 0, 0, len(find)) + find +
            struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 9),
            [table])
        check(answer.rops.endswith(b"\1\0\0" + utf16("rule 2")), "row")
        answer = client.rop(struct.pack("<BBB", 0x37, 0, 0), [table])
        count = struct.unpack_from("<H", answer.rops, 6)[0]
        check_equal(sorted(struct.unpack_from(f"<{count}I", answer.rops, 8)),
                    sorted(SMALL + (CONDITION, ACTIONS)), "all columns")
        # order, bookmarks and so on are other tables'
        for what, rop in (
                ("sort", struct.pack("<BBBBHHHIB", ROP_SORT, 0, 0, 0, 1, 0, 0,
                                     NAME, 0)),
                ("bookmark", struct.pack("<BBB", 0x1B, 0, 0)),
                ("reset", struct.pack("<BBB", 0x81, 0, 0)),
                ("abort", struct.pack("<BBB", 0x38, 0, 0))):
            check_equal(client.rop(rop, [table]).return_value(),
                        EC_NOT_SUPPORTED, what)
        clear(client)


def test_concurrent(server):
    """Several sessions lose nothing of each other's."""
    failures = []

    def work(number):
        try:
            with session(server) as client:
                for i in range(12):
                    client.add(rule(f"{number} {i}", i))
                    mine = [r for r in client.small()
                            if r[NAME].startswith(f"{number} ")]
                    check_equal(len(mine), i // 3 * 2 + i % 3 + 1, "rules")
                    if i % 3 == 2:
                        check_equal(client.modify([
                            row(REMOVE, [(ID, mine[-1][ID])])]), 0, "remove")
        except Exception as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(failures, [], "failures")
    with session(server) as client:
        found = client.rules()
        check_equal(sorted(r[NAME] for r in found),
                    sorted(f"{n} {i}" for n in range(4) for i in range(12)
                           if i % 3 != 2), "rules")
        check_equal(len({r[ID] for r in found}), len(found), "ids")
        clear(client)


def make_folder(client, name):
    top = client.raw.open_folder(client.logon,
                                 client.raw.logon_ids[IPM_SUBTREE])
    answer = client.rop(struct.pack(
        "<BBBBBBBB", CREATE, 0, 0, 1, 1, 1, 1, 0) + utf16(name) + utf16(""),
        [top, NONE])
    check_equal(answer.return_value(), 0, "RopCreateFolder")
    return top, answer.handles[1], answer.rops[6:14]


def rules_mailboxes(server):
    out = server.doveadm("mailbox", "list", "-u", server.users[0])
    return {line for line in out.split("\n") if "rules-" in line}


def test_folders(server):
    """Rules go where their folder goes."""
    with session(server) as client:
        top, folder, fid = make_folder(client, "Ruled")
        _, other, _ = make_folder(client, "Other")
        client.add(rule("inbox"))
        client.add(rule("ruled"), rich_rule(client), folder=folder)
        found = client.rules(folder=folder)
        check_equal(len(found), 2, "rules")
        check_equal(client.names(), ["inbox"], "of the Inbox")
        check_equal(client.names(folder=other), [], "of another folder")
        answer = client.rop(struct.pack(
            "<BBBBBB", MOVE_FOLDER, 0, 0, 1, 0, 1) + fid + utf16("Moved"),
            [top, other])
        check_equal(answer.return_value(), 0, "RopMoveFolder")
        check_equal(client.rules(folder=folder), found, "after moving")
        answer = client.rop(struct.pack(
            "<BBBBBBB", COPY_FOLDER, 0, 0, 1, 0, 1, 1) + fid + utf16("Copy"),
            [other, top])
        check_equal(answer.return_value(), 0, "RopCopyFolder")
        _, copy, copy_fid = make_folder(client, "Copy")
        check_equal([without_id(r) for r in client.rules(folder=copy)],
                    [without_id(r) for r in found], "of the copy")
        check_equal(client.modify([], replace=1, folder=copy), 0, "removing")
        check_equal(client.rules(folder=folder), found, "of the original")
        client.add(rule("copy"), folder=copy)
        check_equal(client.has_rules(copy_fid), 1, "rules")
        before = rules_mailboxes(server)
        # one that is soft deleted keeps them
        for flags, count in ((DELETE_ALL, 0), (DELETE_ALL | DELETE_HARD, 1)):
            answer = client.rop(struct.pack(
                "<BBBB", DELETE_FOLDER, 0, 0, flags) + copy_fid, [top])
            check_equal(answer.return_value(), 0, "RopDeleteFolder")
            check_equal(len(rules_mailboxes(server)), len(before) - count,
                        f"mailboxes of rules, deleted with flags {flags:#x}")
        answer = client.rop(struct.pack(
            "<BBBBB", GET_RULES_TABLE, 0, 0, 1, 0x40), [copy, NONE])
        check_equal(answer.return_value(), 0x8004010A, "of a deleted folder")
        check_equal(client.modify([], replace=1, folder=copy), 0x8004010A,
                    "of a deleted folder")
        clear(client)


def disconnect(client):
    client.raw.request("Disconnect", struct.pack("<I", 0))
    client.close()


def test_deferred_actions(server):
    """All DAMs of a message become those of another one."""
    server_eid, other_eid, client_eid = b"s" * 21, b"o" * 21, b"client's"
    tags = (DAM_SERVER_EID, DAM_ORIGINAL, DAM_BACK_PATCHED)

    def update(client, old, new):
        client.rop(0x57, struct.pack("<H", len(old)) + old +
                   struct.pack("<H", len(new)) + new, [client.logon])

    client = Session(server)
    folder = client.raw.logon_ids[1]
    # there are none
    update(client, server_eid, client_eid)
    mids = []
    for eid in (server_eid, other_eid, server_eid):
        message = client.create(folder)
        check_equal(client.set(message, {
            0x001A001F: "IPC.Microsoft Exchange 4.0.Deferred Action",
            DAM_SERVER_EID: eid, DAM_ORIGINAL: b"delivered",
            DAM_BACK_PATCHED: False}), {}, "problems")
        mids.append(client.save(message))
        client.release(message)
    # one that has nothing of it
    message = client.create(folder)
    client.save(message)
    update(client, b"nobody's", client_eid)
    update(client, server_eid, client_eid)
    disconnect(client)
    client = Session(server)
    found = {}
    for mid in mids:
        message = client.open_message(mid, folder)
        found[mid] = tuple(client.get(message, tags)[0][tag] for tag in tags)
    disconnect(client)
    patched = (client_eid, client_eid, True)
    check_equal([found[mid] for mid in mids],
                [patched, (other_eid, b"delivered", False), patched], "DAMs")


def replicate(server, source, dest):
    folder = {"maildir": "Maildir"}.get(server.format, server.format)
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], dest, folder)
    proc = subprocess.run([server.env["DOVEADM"], "backup", "-u", source,
                           location], stderr=subprocess.PIPE, text=True)
    check(proc.returncode in (0, 2), f"doveadm backup: {proc.stderr}")


def test_resync_dsync(server):
    source, dest = server.users[:2]
    with session(server) as client:
        client.add(rich_rule(client), rule("plain"))
        found = client.rules()
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u", source, "*"],
                   check=True, stderr=subprocess.DEVNULL)
    with session(server) as client:
        check_equal(client.rules(), found, "after force-resync")
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    replicate(server, source, dest)
    with session(server, dest) as client:
        check_equal(client.rules(), found, "after doveadm backup")
    with session(server) as client:
        client.add(rule("after", 30))
        check_equal(client.modify([row(REMOVE, [(ID, found[0][ID])])]), 0,
                    "removing")
        found = client.rules()
    wait_for("end of the session",
             lambda: source not in server.doveadm("who"))
    replicate(server, source, dest)
    with session(server, dest) as client:
        check_equal(client.rules(), found, "after another one")
    with session(server) as client:
        clear(client)


def reread(server):
    """A session and the rules; None if they can't be read: a broken mdbox is found
    broken first, and mended when it's closed."""
    client = Client(server)
    try:
        return client, client.small()
    except TestFailure:
        client.close()
        return None


def test_killed(server):
    """A worker that is killed at any moment has done all that was asked for in a
    request or nothing of it."""
    rand = random.Random(11)
    with session(server) as client:
        start = time.monotonic()
        for i in range(10):
            client.add(*[rule(f"{n}", i) for n in range(3)])
        duration = (time.monotonic() - start) / 10
        clear(client)
    acknowledged, next_number = set(), 0
    for _ in range(12):
        client, rules = wait_for("rules can be read", lambda: reread(server))
        known = {}
        for found in rules:
            known.setdefault(found[SEQUENCE], []).append(found)
        for sequence, members in known.items():
            check_equal([r[NAME] for r in members], ["0", "1", "2"],
                        f"rules of request {sequence}")
        check(acknowledged <= set(known), "acknowledged requests")
        killer = threading.Timer(rand.uniform(0, 4) * duration, kill_workers,
                                 (server,))
        killer.start()
        try:
            for _ in range(30):
                # three come, three others go
                gone = min(known, default=None)
                rows = [row(ADD, rule(f"{n}", next_number)) for n in range(3)]
                if gone is not None:
                    rows += [row(REMOVE, [(ID, r[ID])]) for r in known[gone]]
                    # it may be gone or not if there's no answer
                    acknowledged.discard(gone)
                    del known[gone]
                next_number += 1
                if client.modify(rows) == 0:
                    acknowledged.add(next_number - 1)
        except (OSError, http.client.HTTPException, TestFailure):
            pass  # there's no answer, or one that the session is gone
        killer.join()
        client.close()


if __name__ == "__main__":
    main()
