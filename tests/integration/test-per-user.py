#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The read states of public folders that clients keep in a private mailbox, and
what else they ask it about public folders."""

import contextlib
import random
import struct

from rawmapi import EC_NOT_FOUND, EC_NOT_SUPPORTED
from readlib import check_equal, main
from rulelib import Client

GET_IDS, GET_GUID, READ, WRITE = 0x60, 0x61, 0x63, 0x64
OWNING_SERVERS, IS_GHOSTED = 0x42, 0x45
EC_ERROR, EC_CORRUPT_DATA = 0x80004005, 0x8004011B
EC_OUT_OF_MEMORY = 0x8007000E
DATABASES = [bytes([n]) * 16 for n in (1, 2)]


@contextlib.contextmanager
def session(server):
    client = Client(server)
    try:
        yield client
    finally:
        client.close()


def folder(number):
    """A LongTermID"""
    return bytes(range(16)) + number.to_bytes(6, "big") + b"\0\0"


def idset(ranges, guid=b"g" * 16):
    """A serialised IDSET of ranges (low, high): Range commands, End"""
    data = guid
    for low, high in ranges:
        data += b"\x52" + low.to_bytes(6, "big") + high.to_bytes(6, "big")
    return data + b"\0"


def write(client, fid, data, database=DATABASES[0], offset=0, finished=1):
    """ReturnValue"""
    rop = struct.pack("<BBB", WRITE, 0, 0) + fid + struct.pack(
        "<BIH", finished, offset, len(data)) + data
    if offset == 0:
        rop += database
    return client.rop(rop, [client.logon]).return_value()


def write_all(client, fid, data, database=DATABASES[0], piece=5000):
    pos = 0
    while True:
        part = data[pos:pos + piece]
        end = pos + len(part)
        check_equal(write(client, fid, part, database, pos,
                          1 if end == len(data) else 0), 0, "writing")
        pos = end
        if pos == len(data):
            break


def read(client, fid, offset=0, max_size=0):
    """(ReturnValue, HasFinished, data)"""
    answer = client.rop(struct.pack("<BBB", READ, 0, 0) + fid + struct.pack(
        "<BIH", 0, offset, max_size), [client.logon])
    if answer.return_value() != 0:
        return answer.return_value(), None, None
    finished, size = struct.unpack_from("<BH", answer.rops, 6)
    check_equal(len(answer.rops), 9 + size, "size of the response")
    return 0, finished, answer.rops[9:]


def read_all(client, fid, max_size=0):
    data = b""
    while True:
        value, finished, part = read(client, fid, len(data), max_size)
        check_equal(value, 0, "reading")
        data += part
        if finished:
            return data
        check_equal(len(part), min(max_size or 4096, 4096), "size of a part")


def database_of(client, fid):
    """ReturnValue, GUID"""
    answer = client.rop(struct.pack("<BBB", GET_GUID, 0, 0) + fid,
                        [client.logon])
    return answer.return_value(), answer.rops[6:]


def folders_of(client, database):
    answer = client.rop(struct.pack("<BBB", GET_IDS, 0, 0) + database,
                        [client.logon])
    check_equal(answer.return_value(), 0, "RopGetPerUserLongTermIds")
    count = struct.unpack_from("<H", answer.rops, 6)[0]
    check_equal(len(answer.rops), 8 + 24 * count, "size of the response")
    return sorted(answer.rops[8 + i * 24:32 + i * 24] for i in range(count))


def test_nothing(server):
    with session(server) as client:
        check_equal(folders_of(client, DATABASES[0]), [], "folders")
        check_equal(database_of(client, folder(1))[0], EC_NOT_FOUND, "GUID")
        check_equal(read(client, folder(1)), (0, 1, b""), "data")
        check_equal(read(client, folder(1), 1)[0], EC_ERROR, "offset")


def test_write(server):
    small = idset([(1, 5), (9, 9)])
    large = idset([(i * 10, i * 10 + 3) for i in range(1, 3000)])
    with session(server) as client:
        write_all(client, folder(1), small)
        write_all(client, folder(2), large, DATABASES[1])
        write_all(client, folder(3), b"", DATABASES[0])
    with session(server) as client:
        check_equal(read_all(client, folder(1)), small, "small")
        for size in (0, 100, 4096, 65535):
            check_equal(read_all(client, folder(2), size), large, "large")
        check_equal(read(client, folder(1), len(small)), (0, 1, b""), "end")
        for offset in (len(small) + 1, 0x7fffffff, 0xffffffff):
            check_equal(read(client, folder(1), offset)[0], EC_ERROR,
                        f"offset {offset}")
        check_equal(database_of(client, folder(2)), (0, DATABASES[1]), "GUID")
        check_equal(folders_of(client, DATABASES[0]),
                    [folder(1), folder(3)], "folders")
        # another database replaces the row
        write_all(client, folder(1), large, DATABASES[1])
        check_equal(folders_of(client, DATABASES[0]), [folder(3)], "folders")
        check_equal(read_all(client, folder(1)), large, "replaced")


def test_pieces(server):
    data = idset([(i * 10, i * 10 + 3) for i in range(1, 100)])
    with session(server) as client:
        write_all(client, folder(4), data)
        # what doesn't continue is dropped
        for what, fid, offset in (
                ("nothing to continue", folder(4), 10),
                ("other folder", folder(5), 100), ("gap", folder(4), 101),
                ("overlap", folder(4), 99)):
            if what != "nothing to continue":
                check_equal(write(client, folder(4), data[:100], finished=0),
                            0, what)
            check_equal(write(client, fid, data[100:], offset=offset),
                        EC_ERROR, what)
            check_equal(write(client, folder(4), data[100:], offset=100),
                        EC_ERROR, what + ", again")
        # a new beginning
        check_equal(write(client, folder(4), b"junk", finished=0), 0, "junk")
        write_all(client, folder(4), data, piece=100)
        for junk in (b"junk", data[:-1], data + b"x"):
            check_equal(write(client, folder(4), junk), EC_CORRUPT_DATA, "junk")
        check_equal(write(client, folder(4), bytes(30000), finished=0), 0,
                    "long")
        check_equal(write(client, folder(4), bytes(30000), offset=30000,
                          finished=0), 0, "long")
        check_equal(write(client, folder(4), bytes(30000), offset=60000,
                          finished=0), EC_OUT_OF_MEMORY, "too long")
        check_equal(write(client, folder(4), b"", offset=60000), EC_ERROR,
                    "gone")
        check_equal(read_all(client, folder(4)), data, "data")
        check_equal(write(client, folder(5), data[:100], finished=0), 0, "half")
    with session(server) as client:
        check_equal(write(client, folder(5), data[100:], offset=100), EC_ERROR,
                    "of another session")
        check_equal(read(client, folder(5)), (0, 1, b""), "data")


def test_bounds(server):
    """The oldest ones make room."""
    rand = random.Random(1)
    with session(server) as client:
        big = idset([(i * 20, i * 20 + rand.randrange(10))
                     for i in range(1, 4900)])
        for i in range(20):
            write_all(client, folder(1000 + i), big, DATABASES[1], 30000)
        kept = [i for i in range(20)
                if database_of(client, folder(1000 + i))[0] == 0]
        check_equal(kept, list(range(20 - len(kept), 20)), "the last ones")
        check_equal(len(kept), (1 << 20) // (len(big) + 52), "kept")
        check_equal(read_all(client, folder(1019)), big, "data")
        check_equal(folders_of(client, DATABASES[0]), [], "of before")


def test_public(server):
    with session(server) as client:
        fid = client.raw.logon_ids[4]
        answer = client.rop(struct.pack("<BBB", IS_GHOSTED, 0, 0) + fid,
                            [client.logon])
        check_equal(answer.return_value(), 0, "RopPublicFolderIsGhosted")
        check_equal(answer.rops[6:], b"\0", "IsGhosted")
        answer = client.rop(struct.pack("<BBB", OWNING_SERVERS, 0, 0) + fid,
                            [client.logon])
        check_equal(answer.return_value(), EC_NOT_SUPPORTED,
                    "RopGetOwningServers")


if __name__ == "__main__":
    main()
