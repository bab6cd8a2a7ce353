#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# config: large-attachment.conf
"""An attachment of 50 MB, and as much as a property that only a bag has, are
written as streams, saved and read again, in memory that doesn't depend on their
size."""

import base64
import hashlib
import struct

import savelib
from readlib import (
    check, check_equal, imap_ok, imap_session, main, processes)
from savelib import (
    ATTACH_DATA, ATTACH_METHOD, ATTACH_NAME, BODY, SUBJECT, Session)

SIZE = 50 * 1024 * 1024
# of the worker's and of the login process' peak, bytes
MAX_GROWTH = 32 * 1024 * 1024
CHUNK = 0x7800
BAG = 0x67020102
BLOCK = hashlib.shake_128(b"upload").digest(65521)


def content(start, size):
    """A part of it: blocks with their numbers in front"""
    data = b""
    number, offset = divmod(start, len(BLOCK) + 3)
    while len(data) < offset + size:
        data += number.to_bytes(3, "big") + BLOCK
        number += 1
    return data[offset:offset + size]


def peak(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise ValueError(f"{pid} has no VmHWM")


def sanitized(pid):
    """AddressSanitizer keeps what has been freed: memory says nothing."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return "libasan" in f.read()


def upload(session, obj, tag):
    stream, _ = session.open_stream(obj, tag, savelib.CREATE)
    for pos in range(0, SIZE, CHUNK):
        session.write(stream, content(pos, min(CHUNK, SIZE - pos)), CHUNK)
    session.rop(savelib.COMMIT_STREAM, b"", [stream])
    session.release(stream)


def compare(session, obj, tag):
    stream, size = session.open_stream(obj, tag)
    check_equal(size, SIZE, "StreamSize")
    pos = 0
    while pos < SIZE:
        reader = session.rop(0x2C, struct.pack("<H", 0x7000), [stream])
        data = reader.bytes(reader.get("H"))
        check(data and data == content(pos, len(data)),
              f"wrong data at {pos} of {tag:08x}")
        pos += len(data)
    session.release(stream)


def check_growth(server, before):
    for pid, size in before.items():
        grown = peak(pid) - size
        print(f"     {pid}: peak {size >> 10} kB, grown by {grown >> 10} kB")
        check(grown <= MAX_GROWTH or sanitized(pid),
              f"{pid} needed {grown >> 20} MiB more")


def start(server):
    """A session whose processes have done what every session needs"""
    session = Session(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "small", 0x6701001F: "bag"})
    session.save(handle)
    session.release(handle)
    pids = processes(server, "mapi") + processes(server, "mapi-login")
    check(pids, "no processes found")
    return session, {pid: peak(pid) for pid in pids}


def test_attachment(server):
    session, before = start(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "large", BODY: "See there."})
    attach, num = session.create_attachment(handle)
    session.set(attach, {ATTACH_METHOD: 1, ATTACH_NAME: "large.bin"})
    upload(session, attach, ATTACH_DATA)
    session.save_attachment(attach, handle)
    session.release(attach)
    mid = session.save(handle)
    session.release(handle)
    check_growth(server, before)
    session.close()

    session, before = start(server)
    handle = session.open_message(mid)
    compare(session, session.open_attachment(handle, num), ATTACH_DATA)
    # its content changes while the attachment stays
    session.set(handle, {SUBJECT: "larger"})
    session.save(handle, savelib.SAVE_READ_WRITE)
    compare(session, session.open_attachment(handle, num), ATTACH_DATA)
    check_growth(server, before)
    session.close()

    with imap_session(server) as imap:
        imap_ok(imap.select("INBOX", readonly=True))
        uid = imap_ok(imap.uid("SEARCH", "SUBJECT", "larger"))[0].decode()
        mime = imap_ok(imap.uid("FETCH", uid, "(BODY.PEEK[2])"))[0][1]
    data = base64.b64decode(mime)
    check_equal(len(data), SIZE, "size over IMAP")
    for pos in range(0, SIZE, CHUNK):
        check(data[pos:pos + CHUNK] ==
              content(pos, min(CHUNK, SIZE - pos)), "data over IMAP")


def test_bag(server):
    session, before = start(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "large bag"})
    upload(session, handle, BAG)
    mid = session.save(handle)
    session.release(handle)
    handle = session.open_message(mid)
    compare(session, handle, BAG)
    check_growth(server, before)
    session.close()


main()
