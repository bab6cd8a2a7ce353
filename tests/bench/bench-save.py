#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: bench-save.conf
# timeout: 3600
"""How fast messages are saved by MAPI, beside IMAP's APPEND of a message of the same
size in the same run with the same fsyncs, each by one connection with TLS; what a
change of a property costs the server; how an attachment of 50 MB is uploaded.
BENCH_SAVES (300) says how many messages; of several rounds the median counts."""

import imaplib
import os
import ssl
import statistics
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import readlib  # noqa: E402
import savelib  # noqa: E402
from savelib import (  # noqa: E402
    ATTACH_DATA, ATTACH_METHOD, BODY, NONE, SAVE_READ_WRITE, SUBJECT, Session)

COUNT = int(os.environ.get("BENCH_SAVES", "300"))
ROUNDS = 5
SIZE = 4096
UPLOAD = 50 * 1024 * 1024
BAG = 0x6701001F
TICK = os.sysconf("SC_CLK_TCK")


def message():
    head = (b"From: sender@example.net\r\nTo: alice@example.org\r\n"
            b"Subject: bench\r\nDate: Mon, 2 Jan 2023 10:00:00 +0000\r\n"
            b"Message-ID: <bench@example.net>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\n\r\n")
    return head + text(SIZE - len(head)).encode()


def text(size):
    line = "The quick brown fox jumps over the lazy dog, again and again.\r\n"
    return (line * (size // len(line) + 1))[:size]


def cpu(pid):
    """Seconds, and those of them in the kernel"""
    with open(f"/proc/{pid}/stat", encoding="latin1") as f:
        fields = f.read().rpartition(")")[2].split()
    return ((int(fields[11]) + int(fields[12])) / TICK,
            int(fields[12]) / TICK)


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise OSError(f"{pid} has no VmHWM")


class Imap:
    def __init__(self, server):
        self.imap = imaplib.IMAP4_SSL(
            "localhost", int(server.env["IMAPS_PORT"]),
            ssl_context=ssl.create_default_context(
                cafile=server.env["TEST_CA"]))
        self.imap.login(server.users[0], server.password)
        readlib.imap_ok(self.imap.create("Appended"))

    def append(self, data):
        readlib.imap_ok(self.imap.append("Appended", "(\\Seen)", None, data))


class Mapi(Session):
    def __init__(self, server):
        others = set(readlib.processes(server, "mapi"))
        super().__init__(server)
        workers = set(readlib.processes(server, "mapi")) - others
        self.pid = workers.pop() if len(workers) == 1 else None
        values = {SUBJECT: "bench", BODY: text(SIZE - 300), BAG: "bag",
                  0x00390040: 133170000000000000, 0x0C1A001F: "Sender",
                  0x0C1E001F: "SMTP", 0x0C1F001F: "sender@example.net",
                  0x0065001F: "sender@example.net", 0x0064001F: "SMTP",
                  0x1035001F: "<bench@example.net>"}
        body = struct.pack("<H", len(values)) + b"".join(
            struct.pack("<I", tag) + savelib.pack_value(tag & 0xffff, value)
            for tag, value in values.items())
        self.request = bytes([savelib.CREATE_MESSAGE, 0, 0, 1]) + \
            struct.pack("<H", 0x0fff) + self.inbox_id + b"\0" + \
            bytes([savelib.SET_PROPS, 0, 1]) + \
            struct.pack("<H", len(body)) + body + \
            bytes([savelib.SAVE_MESSAGE, 0, 0, 1, 0, 0x01, 0, 1])

    def save_new(self):
        """Creates, sets properties, saves and releases in one request."""
        answer = self.raw.execute(self.request, [self.logon, NONE])
        if answer.error or answer.rops[-15:-9] != struct.pack(
                "<BBI", savelib.SAVE_MESSAGE, 0, 0):
            raise OSError(f"not saved: {answer.rops.hex()}")


def timed(func, count):
    start = time.monotonic()
    for _ in range(count):
        func()
    return (time.monotonic() - start) / count


def report(what, value, goal, unit, more=""):
    print(f"  {what:<38} {value:7.2f} {unit} (goal <= {goal}){more}"
          f"{'' if value <= goal else '  MISSED'}", flush=True)


def bench_new(imap, mapi):
    data = message()
    by_imap, by_mapi = [], []
    timed(lambda: imap.append(data), 20)
    timed(mapi.save_new, 20)
    for _ in range(ROUNDS):
        by_imap.append(timed(lambda: imap.append(data), COUNT))
        by_mapi.append(timed(mapi.save_new, COUNT))
    append, save = statistics.median(by_imap), statistics.median(by_mapi)
    report("new message with a bag, APPEND", save / append, 3, "times",
           f", {save * 1000:.2f} ms, IMAP {append * 1000:.2f} ms")


def bench_property(mapi):
    handle = mapi.create()
    mapi.set(handle, {SUBJECT: "changes", BODY: text(SIZE), BAG: "0"})
    mapi.save(handle, SAVE_READ_WRITE)
    number = 0

    def change():
        nonlocal number
        number += 1
        mapi.set(handle, {BAG: str(number)})
        mapi.save(handle, SAVE_READ_WRITE)
    used, kernel, elapsed = [], [], []
    for _ in range(ROUNDS):
        before = cpu(mapi.pid)
        elapsed.append(timed(change, COUNT))
        after = cpu(mapi.pid)
        used.append((after[0] - before[0]) / COUNT * 1000)
        kernel.append((after[1] - before[1]) / COUNT * 1000)
    report("a property that only a bag has", statistics.median(used),
           1, "ms CPU", f", of which {statistics.median(kernel):.2f} ms in the "
           f"kernel; {statistics.median(elapsed) * 1000:.2f} ms in all")


def bench_upload(server, imap, mapi):
    before = peak(mapi.pid)
    handle = mapi.create()
    attach, _ = mapi.create_attachment(handle)
    mapi.set(attach, {ATTACH_METHOD: 1})
    stream, _ = mapi.open_stream(attach, ATTACH_DATA, savelib.CREATE)
    data = os.urandom(0x7800)
    start = time.monotonic()
    for _ in range(UPLOAD // len(data)):
        mapi.write(stream, data, len(data))
    mapi.rop(savelib.COMMIT_STREAM, b"", [stream])
    written = time.monotonic() - start
    mapi.save_attachment(attach, handle)
    mapi.save(handle)
    elapsed = time.monotonic() - start
    print(f"  50 MB: written in {written:.1f} s, saved in "
          f"{elapsed - written:.1f} s, "
          f"{UPLOAD / elapsed / 1e6:.0f} MB/s", flush=True)
    mime = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    mime += (b"y" * 76 + b"\r\n") * (UPLOAD * 4 // 3 // 76)
    start = time.monotonic()
    imap.append(mime)
    print(f"  the same as base64 by APPEND: {time.monotonic() - start:.1f} s",
          flush=True)
    report("peak of memory grown by", (peak(mapi.pid) - before) / 2**20, 32,
           "MiB")


def main():
    server = readlib.Server()
    imap, mapi = Imap(server), Mapi(server)
    if mapi.pid is None:
        raise OSError("which process the worker is isn't known")
    print(f"{COUNT} messages of {SIZE} bytes ({server.format}):", flush=True)
    bench_new(imap, mapi)
    bench_property(mapi)
    bench_upload(server, imap, mapi)


if __name__ == "__main__":
    try:
        main()
    except (OSError, imaplib.IMAP4.error) as exc:
        sys.exit(f"bench-save: {exc}")
