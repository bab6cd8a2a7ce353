#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# config: large-attachment.conf
"""An attachment of 100 MB is read as a stream: what it is, in memory that
doesn't depend on its size."""

import base64
import hashlib
import struct
import time

import rawmapi
from rawmapi import RawMapi
from readlib import check, check_equal, imap_ok, imap_session, main, processes

NONE = 0xffffffff
SIZE = 100 * 1024 * 1024
# of the worker's and of the login process' peak, bytes
MAX_GROWTH = 32 * 1024 * 1024
READ_SIZE = 0x7000
PIDTAG_MID, PIDTAG_ATTACH_DATA_BINARY = 0x674A0014, 0x37010102
PIDTAG_ATTACH_SIZE = 0x0E200003
ROP_OPEN_ATTACHMENT, ROP_SEEK_STREAM = 0x22, 0x2E
EC_NOT_ENOUGH_MEMORY = 0x8007000E
# a multiple of three, so that the pieces' base64 can be put together
BLOCK = hashlib.shake_128(b"attachment").digest(3 * 19 * 997)


def content(start, size):
    """A part of the attachment: blocks with their numbers in front"""
    data = b""
    number, offset = divmod(start, len(BLOCK) + 3)
    while len(data) < offset + size:
        data += number.to_bytes(3, "big") + BLOCK
        number += 1
    return data[offset:offset + size]


def message():
    parts = [b"From: sender@example.net\r\nTo: alice@example.org\r\n"
             b"Subject: large\r\nMIME-Version: 1.0\r\n"
             b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
             b"--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n"
             b"--b\r\nContent-Type: application/octet-stream\r\n"
             b"Content-Disposition: attachment; filename=\"large.bin\"\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n"]
    # lines of 57 bytes
    step = 57 * 16384
    for start in range(0, SIZE, step):
        data = content(start, min(step, SIZE - start))
        parts.append(base64.encodebytes(data).replace(b"\n", b"\r\n"))
    parts.append(b"--b--\r\n")
    return b"".join(parts)


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


def rop(raw, request, handles, what):
    answer = raw.execute(request, handles)
    check_equal((answer.code, answer.error, answer.return_value()), (0, 0, 0),
                what)
    return answer


def open_attachment(raw):
    """Returns the handle of the only message's only attachment."""
    logon, folder, table = raw.inbox_table()
    answer = rop(raw, struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0,
                                  1, PIDTAG_MID) +
                 struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1,
                             10), [table], "rows")
    # RopSetColumns' 7 bytes, then header, Origin, RowCount
    check_equal(answer.rops[14:16], b"\1\0", "number of rows")
    mid = answer.rops[17:25]
    answer = rop(raw, struct.pack("<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1,
                                  0xFFF) + raw.logon_ids[4] + b"\0" + mid,
                 [folder, NONE], "RopOpenMessage")
    answer = rop(raw, struct.pack("<BBBBBI", ROP_OPEN_ATTACHMENT, 0, 0, 1, 0,
                                  0), [answer.handles[1], NONE],
                 "RopOpenAttachment")
    return answer.handles[1]


def open_stream(raw, attachment):
    answer = rop(raw, struct.pack("<BBBBIB", rawmapi.ROP_OPEN_STREAM, 0, 0, 1,
                                  PIDTAG_ATTACH_DATA_BINARY, 0),
                 [attachment, NONE], "RopOpenStream")
    check_equal(struct.unpack_from("<I", answer.rops, 6)[0], SIZE,
                "StreamSize")
    return answer.handles[1]


def read_stream(raw, stream, size=READ_SIZE):
    answer = rop(raw, struct.pack("<BBBH", rawmapi.ROP_READ_STREAM, 0, 0,
                                  size), [stream], "RopReadStream")
    length = struct.unpack_from("<H", answer.rops, 6)[0]
    check_equal(len(answer.rops), 8 + length, "size of RopReadStream")
    return answer.rops[8:]


def test_fill(server):
    with imap_session(server) as imap:
        imap_ok(imap.append("INBOX", None, None, message()))


def test_read(server):
    raw = RawMapi(server, timeout=60)
    # what every session needs, before it's measured
    raw.start()
    raw.close()
    raw = RawMapi(server, timeout=60)
    raw.connect()
    workers = processes(server, "mapi")
    logins = processes(server, "mapi-login")
    before = {pid: peak(pid) for pid in workers + logins}
    check(workers and logins, "no processes found")

    attachment = open_attachment(raw)
    stream = open_stream(raw, attachment)
    start = time.monotonic()
    pos = 0
    while True:
        data = read_stream(raw, stream)
        if data == b"":
            break
        if data != content(pos, len(data)):
            check(False, f"wrong data between {pos} and {pos + len(data)}")
        pos += len(data)
    check_equal(pos, SIZE, "bytes read")
    print(f"{SIZE / (time.monotonic() - start) / 1e6:.0f} MB/s")

    # back and forth, and a second stream of the same attachment
    other = open_stream(raw, attachment)
    for offset in (SIZE - 10, 0, SIZE // 2, 7, SIZE // 3):
        rop(raw, struct.pack("<BBBBq", ROP_SEEK_STREAM, 0, 0, 0, offset),
            [stream], "RopSeekStream")
        size = min(100, SIZE - offset)
        check_equal(read_stream(raw, stream, 100), content(offset, size),
                    f"data at {offset}")
    check_equal(read_stream(raw, other, 50), content(0, 50),
                "the other stream's data")

    # as a value it's too large
    answer = rop(raw, struct.pack("<BBBHHHII", rawmapi.ROP_GET_PROPS, 0, 0, 0,
                                  1, 2, PIDTAG_ATTACH_DATA_BINARY,
                                  PIDTAG_ATTACH_SIZE), [attachment],
                 "RopGetPropertiesSpecific")
    check_equal(answer.rops[6:12], b"\1\x0a" +
                struct.pack("<I", EC_NOT_ENOUGH_MEMORY),
                "PidTagAttachDataBinary")

    raw.close()
    for pid, size in before.items():
        grown = peak(pid) - size
        print(f"{'worker' if pid in workers else 'login'} {pid}: peak "
              f"{size >> 10} kB, grown by {grown >> 10} kB")
        check(grown <= MAX_GROWTH or sanitized(pid),
              f"{pid} needed {grown >> 20} MiB more")


main()
