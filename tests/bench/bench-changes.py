#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: bench.conf
# timeout: 3600
"""How fast many messages are marked as read and moved by MAPI, beside IMAP's
STORE and MOVE of the same messages in the same run, each by one connection with
TLS. BENCH_CHANGES (10000) says how many messages; of several rounds the median
counts. A ROP's buffer holds 8,000 message ids at most, so that 10,000 messages
take two ROPs, one request after the other.
"""

import imaplib
import importlib.util
import os
import ssl
import statistics
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import rawmapi  # noqa: E402
import readlib  # noqa: E402

SPEC = importlib.util.spec_from_file_location(
    "bench_mail", os.path.join(HERE, "bench-mail.py"))
bench_mail = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bench_mail)

COUNT = int(os.environ.get("BENCH_CHANGES", "10000"))
ROUNDS = 5
IDS_MAX = 8000
SET_READ_FLAGS, MOVE_COPY = 0x66, 0x33


class Imap:
    def __init__(self, server):
        self.imap = imaplib.IMAP4_SSL(
            "localhost", int(server.env["IMAPS_PORT"]),
            ssl_context=ssl.create_default_context(
                cafile=server.env["TEST_CA"]))
        self.imap.login(server.users[0], server.password)

    def select(self, mailbox):
        readlib.imap_ok(self.imap.select(mailbox))

    def timed(self, func):
        start = time.monotonic()
        readlib.imap_ok(func())
        return time.monotonic() - start

    def store(self, what):
        """Reads the responses as fast as it can, which imaplib doesn't."""
        start = time.monotonic()
        tag = self.imap._new_tag()
        self.imap.send(tag + b" STORE 1:* " + what.encode() +
                       b" (\\Seen)\r\n")
        while True:
            line = self.imap.readline()
            if line.startswith(tag):
                break
        if not line.startswith(tag + b" OK"):
            raise OSError(f"STORE: {line}")
        return time.monotonic() - start

    def move(self, mailbox):
        return self.timed(lambda: self.imap._simple_command(
            "MOVE", "1:*", mailbox))


class Mapi:
    def __init__(self, server):
        self.raw = rawmapi.RawMapi(server, timeout=300)
        self.logon = self.raw.start()

    def open(self, name):
        subtree = self.raw.open_folder(self.logon, self.raw.logon_ids[3])
        answer = self.raw.execute(struct.pack(
            "<BBBBB", rawmapi.ROP_HIERARCHY_TABLE, 0, 0, 1, 4), [subtree,
                                                                  0xffffffff])
        table = answer.handles[1]
        answer = self.raw.execute(struct.pack(
            "<BBBBHIIBBBBBH", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 2, 0x67480014,
            0x3001001F, rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 200), [table])
        needle = name.encode("utf-16le") + b"\0\0"
        pos = answer.rops.index(needle)
        return self.raw.open_folder(self.logon, answer.rops[pos - 8:pos])

    def mids(self, folder):
        table = self.raw.contents_table(folder)
        self.raw.execute(struct.pack(
            "<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 1, 0x674A0014),
            [table])
        mids = []
        while True:
            answer = self.raw.execute(struct.pack(
                "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 3000), [table])
            count = struct.unpack_from("<H", answer.rops, 7)[0]
            if count == 0:
                break
            mids += [answer.rops[10 + i * 9:18 + i * 9] for i in range(count)]
        self.raw.execute(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0),
                         [table])
        return mids

    def timed(self, rop, head, mids, tail, handles):
        start = time.monotonic()
        for i in range(0, len(mids), IDS_MAX):
            part = mids[i:i + IDS_MAX]
            answer = self.raw.execute(
                bytes([rop, 0, 0]) + head + struct.pack("<H", len(part)) +
                b"".join(part) + tail, handles)
            if answer.return_value() != 0 or answer.rops[-1] != 0:
                raise OSError(f"ROP 0x{rop:x}: {answer.rops.hex()}")
        return time.monotonic() - start

    def set_read(self, folder, mids, flags):
        return self.timed(SET_READ_FLAGS, bytes([0, flags]), mids, b"",
                          [folder])

    def move(self, folder, dest, mids):
        return self.timed(MOVE_COPY, b"\1", mids, b"\0\0", [folder, dest])


def report(what, mapi, imap, goal):
    mapi, imap = statistics.median(mapi), statistics.median(imap)
    ratio = mapi / imap
    print(f"  {what:<38} {mapi * 1000:7.1f} ms, IMAP {imap * 1000:7.1f} ms: "
          f"{ratio:5.2f} times (goal <= {goal})"
          f"{'' if ratio <= goal else '  MISSED'}", flush=True)


def main():
    server = readlib.Server()
    filler = bench_mail.ImapFiller()
    filler.fill("From", COUNT, 1200, 1)
    filler.fill("To", 0, 0, 1)
    imap, mapi = Imap(server), Mapi(server)
    src, dest = mapi.open("From"), mapi.open("To")
    mids = mapi.mids(src)
    if len(mids) != COUNT:
        raise OSError(f"{len(mids)} messages instead of {COUNT}")
    print(f"{COUNT} messages ({server.format}):", flush=True)
    imap.select("From")
    for what in ("+FLAGS", "+FLAGS.SILENT"):
        by_imap, by_mapi = [], []
        for _ in range(ROUNDS):
            imap.store("-FLAGS.SILENT")
            by_imap.append(imap.store(what))
            imap.store("-FLAGS.SILENT")
            by_mapi.append(mapi.set_read(src, mids, 0))
        report("marked as read, STORE " + what, by_mapi, by_imap, 2)
    by_imap, by_mapi = [], []
    for _ in range(ROUNDS):
        imap.select("From")
        by_imap.append(imap.move("To"))
        imap.select("To")
        imap.move("From")
        by_mapi.append(mapi.move(src, dest, mapi.mids(src)))
        imap.select("To")
        imap.move("From")
    report("moved, MOVE", by_mapi, by_imap, 3)


if __name__ == "__main__":
    try:
        main()
    except (OSError, imaplib.IMAP4.error) as exc:
        sys.exit(f"bench-changes: {exc}")
