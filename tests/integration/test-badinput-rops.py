#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
"""Nonsense from authenticated clients: each piece gets the error that the
specification names, and another session goes on working."""

import random
import struct

import readlib
import rawmapi
from rawmapi import RawMapi, execute_body, rop_buffer, rpc_ext
from readlib import check, check_equal

NONE = 0xffffffff
PIDTAG_SUBJECT, PIDTAG_MID = 0x0037001F, 0x674A0014
# RPC error of a whole Execute, X-ResponseCode of an unreadable body
EC_RPC_FORMAT, EC_RPC_FAILED = 0x4B6, 0x80040115
INVALID_BODY = 12


class Witness:
    """A session that must stay unharmed by what others do."""

    def __init__(self, server):
        self.raw = RawMapi(server, user=server.users[1])
        self.logon = self.raw.start()

    def check(self, what):
        check(self.raw.alive(self.logon), f"{what} harmed another session")


def with_witness(func):
    def test(server):
        witness = Witness(server)
        func(server)
        witness.check(func.__name__)
        witness.raw.close()
    test.__name__ = func.__name__
    return test


def refused(answer):
    """An Execute that was answered with an error as a whole: by the transport
    or by its ErrorCode."""
    check_equal(answer.status, 200, "HTTP status")
    if answer.code != 0:
        return True
    return answer.parse_execute().error != 0


def restriction_rop(table_slot, data):
    return struct.pack("<BBBBH", rawmapi.ROP_RESTRICT, 0, table_slot, 0,
                       len(data)) + data


@with_witness
def test_malformed_envelopes(server):
    raw = RawMapi(server)
    logon = raw.start()
    buffer = rop_buffer(b"", [logon])
    bodies = {
        "empty": b"",
        "three bytes": b"\0\0\0",
        "size beyond the end": execute_body(rpc_ext(buffer), size=0x7fffffff),
        "no header": execute_body(b"\0\0\0"),
        "no Last flag": execute_body(rpc_ext(buffer, flags=0)),
        "unknown flags": execute_body(rpc_ext(buffer, flags=0xfff0)),
        "Size too large": execute_body(rpc_ext(buffer, size=0xffff)),
        "SizeActual differs": execute_body(rpc_ext(buffer, actual=0xffff)),
        "compressed nonsense": execute_body(
            rpc_ext(b"\xff" * 64, flags=5, actual=0x7fff)),
        "RopSize 0": execute_body(rpc_ext(rop_buffer(b"", [logon], 0))),
        "RopSize 1": execute_body(rpc_ext(rop_buffer(b"", [logon], 1))),
        "RopSize too large": execute_body(
            rpc_ext(rop_buffer(b"", [logon], 0xffff))),
        "half a handle": execute_body(rpc_ext(buffer + b"\1\2")),
    }
    for name, body in bodies.items():
        check(refused(raw.request("Execute", body)), f"{name}: was accepted")
        check(raw.alive(logon), f"{name}: the session is gone")
    raw.close()


@with_witness
def test_truncated_rops(server):
    """Every prefix of a proper ROP buffer's operations."""
    raw = RawMapi(server)
    logon = raw.start()
    rops = struct.pack("<BBBB", rawmapi.ROP_OPEN_FOLDER, 0, 0, 1) + \
        raw.logon_ids[4] + b"\0" + \
        struct.pack("<BBBBB", rawmapi.ROP_CONTENTS_TABLE, 0, 1, 2, 0) + \
        struct.pack("<BBBBHII", rawmapi.ROP_SET_COLUMNS, 0, 2, 0, 2,
                    PIDTAG_SUBJECT, PIDTAG_MID) + \
        struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 2, 0, 1, 10)
    for end in range(len(rops) + 1):
        answer = raw.execute(rops[:end], [logon, NONE, NONE])
        check(answer.code in (0, INVALID_BODY),
              f"{end} bytes: X-ResponseCode {answer.code}")
        check(raw.alive(logon), f"{end} bytes: the session is gone")
    raw.close()


@with_witness
def test_wrong_handles(server):
    raw = RawMapi(server)
    logon = raw.start()
    folder = raw.open_folder(logon, raw.logon_ids[4])
    table = raw.contents_table(folder)
    get = struct.pack("<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0, 0, 1, 1,
                      0x0FFE0003)
    query = struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 10)
    for name, rop, handles in (
            ("no handle table", get, []),
            ("handle that never was", get, [0x12345678]),
            ("index beyond the table", get[:2] + b"\x07" + get[3:], [logon]),
            ("none", get, [NONE]),
            ("properties of a table", get, [table]),
            ("rows of a folder", query, [folder]),
            ("rows of the logon", query, [logon])):
        answer = raw.execute(rop, handles)
        check_equal(answer.code, 0, f"{name}: X-ResponseCode")
        check(answer.error != 0 or answer.return_value() != 0,
              f"{name}: succeeded")
        if name in ("handle that never was", "none"):
            check_equal(answer.return_value(), rawmapi.EC_NULL_OBJECT, name)
        check(raw.alive(logon), f"{name}: the session is gone")
    # a released handle is none any more
    answer = raw.execute(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, 0),
                         [table])
    check_equal(answer.rops, b"", "response of RopRelease")
    answer = raw.execute(query, [table])
    check_equal(answer.return_value(), rawmapi.EC_NULL_OBJECT,
                "rows of a released table")
    raw.close()


@with_witness
def test_unknown_rops(server):
    """Reserved numbers end the buffer; others are answered, implemented or
    not."""
    raw = RawMapi(server)
    logon = raw.start()
    for rop in range(256):
        answer = raw.execute(bytes((rop, 0, 0)) + b"\0" * 40, [logon, NONE])
        check_equal(answer.status, 200, f"ROP 0x{rop:02x}: HTTP status")
        check(answer.code in (0, INVALID_BODY),
              f"ROP 0x{rop:02x}: X-ResponseCode {answer.code}")
        # RopRelease of slot 0 has released the logon
        if not raw.alive(logon):
            check(rop == rawmapi.ROP_RELEASE,
                  f"ROP 0x{rop:02x}: the session is gone")
            raw = RawMapi(server)
            logon = raw.start()
    raw.close()


def nested(depth, kind):
    if kind == "not":
        return b"\x02" * depth + b"\x08" + struct.pack("<I", PIDTAG_SUBJECT)
    return b"\x00\x01\x00" * depth + b"\x08" + \
        struct.pack("<I", PIDTAG_SUBJECT)


@with_witness
def test_deep_restrictions(server):
    raw = RawMapi(server)
    _, _, table = raw.inbox_table()
    for kind in ("not", "and"):
        answer = raw.execute(restriction_rop(0, nested(10, kind)), [table])
        check_equal(answer.return_value(), 0, f"10 levels of {kind}")
        for depth in (1000, 10000):
            answer = raw.execute(restriction_rop(0, nested(depth, kind)),
                                 [table])
            check_equal(answer.return_value(), rawmapi.EC_TOO_COMPLEX,
                        f"{depth} levels of {kind}")
    # also where it has to be found with: RopFindRow
    data = nested(1000, "not")
    answer = raw.execute(
        struct.pack("<BBBBH", rawmapi.ROP_FIND_ROW, 0, 0, 0, len(data)) +
        data + struct.pack("<BH", 0, 0), [table])
    check_equal(answer.return_value(), rawmapi.EC_TOO_COMPLEX,
                "RopFindRow with 1000 levels")
    raw.close()


@with_witness
def test_wrong_restrictions(server):
    raw = RawMapi(server)
    _, _, table = raw.inbox_table()
    subject = struct.pack("<I", PIDTAG_SUBJECT)
    for name, data in {
            "unknown type": b"\x7f",
            "AND of more than there are": b"\x00\xff\xff",
            "AND without a count": b"\x00\x01",
            "NOT of nothing": b"\x02",
            "value cut off": b"\x04\x04" + subject + subject + b"a\0b",
            "string without an end": b"\x03\0\0\0\0" + subject + subject +
                                     b"a\0" * 50,
            "sub-restriction of a subject": b"\x09" + subject + b"\x08" +
                                            subject,
            }.items():
        answer = raw.execute(restriction_rop(0, data), [table])
        check_equal(answer.code, 0, f"{name}: X-ResponseCode")
        check(answer.error != 0 or answer.return_value() != 0,
              f"{name}: was accepted")
    # RestrictionDataSize says where the next operation begins: what is
    # between the restriction's end and there is skipped
    answer = raw.execute(
        restriction_rop(0, b"\x08" + subject + b"\0\0\0\0"), [table])
    check_equal((answer.error, answer.return_value()), (0, 0),
                "more after the end")
    # the table is still good
    answer = raw.execute(
        struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 1,
                    PIDTAG_MID) +
        struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 10),
        [table])
    check_equal(answer.return_value(), 0, "RopSetColumns")
    check_equal(answer.return_value(7), 0, "RopQueryRows")
    raw.close()


@with_witness
def test_too_many_columns(server):
    raw = RawMapi(server)
    _, _, table = raw.inbox_table()
    # A million columns can't be told: the count has 16 bits and a buffer
    # 64 kB. What can be told is refused or works, and ends.
    for count in (1, 1000, 15000):
        tags = struct.pack("<I", PIDTAG_SUBJECT) * count
        answer = raw.execute(
            struct.pack("<BBBBH", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, count) +
            tags + struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1,
                               50), [table])
        check_equal(answer.code, 0, f"{count} columns: X-ResponseCode")
        check_equal(answer.error, 0, f"{count} columns: ErrorCode")
    # counts that lie
    for count in (2, 0xffff):
        answer = raw.execute(
            struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, count,
                        PIDTAG_SUBJECT), [table])
        check(answer.code != 0 or answer.error != 0 or
              answer.rops == b"" or answer.return_value() != 0,
              f"{count} columns, but one was there: accepted")
    # none at all
    answer = raw.execute(struct.pack("<BBBBH", rawmapi.ROP_SET_COLUMNS, 0, 0,
                                     0, 0), [table])
    check_equal(answer.return_value(), rawmapi.EC_INVALID_PARAMETER,
                "no columns")
    # rows before there are columns
    raw2 = RawMapi(server)
    _, _, fresh = raw2.inbox_table()
    answer = raw2.execute(struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0,
                                      0, 1, 10), [fresh])
    check_equal(answer.return_value(), rawmapi.EC_NULL_OBJECT,
                "rows without columns")
    raw.close()
    raw2.close()


@with_witness
def test_too_many_sort_orders(server):
    raw = RawMapi(server)
    _, _, table = raw.inbox_table()
    for orders, categories, expanded in ((2000, 0, 0), (2, 3, 0), (2, 1, 2)):
        data = struct.pack("<IB", PIDTAG_SUBJECT, 0) * orders
        answer = raw.execute(
            struct.pack("<BBBBHHH", rawmapi.ROP_SORT, 0, 0, 0, orders,
                        categories, expanded) + data, [table])
        check(answer.return_value() != 0,
              f"{orders} orders, {categories} categories: accepted")
    raw.close()


@with_witness
def test_many_objects(server):
    """Handles until the server says stop; afterwards they're released."""
    raw = RawMapi(server)
    logon = raw.start()
    opened = []
    rop = b"".join(
        struct.pack("<BBBB", rawmapi.ROP_OPEN_FOLDER, 0, 0, i) +
        raw.logon_ids[4] + b"\0" for i in range(1, 200))
    for _ in range(10):
        answer = raw.execute(rop, [logon] + [NONE] * 199)
        check_equal((answer.code, answer.error), (0, 0), "opening folders")
        opened += [h for h in answer.handles[1:] if h != NONE]
    check_equal(len(set(opened)), len(opened), "handles are distinct")
    for i in range(0, len(opened), 200):
        some = opened[i:i + 200]
        raw.execute(b"".join(struct.pack("<BBB", rawmapi.ROP_RELEASE, 0, n)
                             for n in range(len(some))), some)
    check(raw.alive(logon), "the session is gone")
    raw.close()


@with_witness
def test_random_bytes(server):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    raw = RawMapi(server)
    logon = raw.start()
    for i in range(300):
        if i % 3 == 0:
            body = rng.randbytes(rng.randrange(200))
            answer = raw.request("Execute", body)
        elif i % 3 == 1:
            answer = raw.request("Execute", execute_body(
                rpc_ext(rng.randbytes(rng.randrange(300)))))
        else:
            # proper ROP ids with random arguments; none that releases slot 0
            rops = bytes((rng.choice((2, 3, 4, 5, 7, 8, 9, 0x12, 0x13, 0x14,
                                      0x15, 0x18, 0x2b, 0x43, 0x44, 0x4f,
                                      0x55, 0x56)), 0, 0)) + \
                rng.randbytes(rng.randrange(100))
            answer = raw.execute(rops, [logon, NONE])
        check_equal(answer.status, 200, f"step {i}: HTTP status")
        value = raw.logon_value(logon)
        # a RopRelease may have been among them
        if value == rawmapi.EC_NULL_OBJECT:
            logon = raw.logon()
            value = raw.logon_value(logon)
        check_equal(value, 0, f"step {i}: state of the session")
    raw.close()


@with_witness
def test_large_answers(server):
    """A MaxRopOut that's too small, or zero, or more than the server gives."""
    raw = RawMapi(server)
    logon = raw.start()
    rop = struct.pack("<BBBHH", rawmapi.ROP_GET_PROPS_ALL, 0, 0, 0, 1)
    for max_out in (0, 1, 8, 16, 40, 0x8007, 0x10008, 0x40000, 0xffffffff):
        answer = raw.request("Execute", execute_body(
            rpc_ext(rop_buffer(rop, [logon])), max_out=max_out))
        check_equal(answer.status, 200, f"MaxRopOut {max_out}")
        if answer.code != 0:
            continue
        answer.parse_execute()
        if answer.error == 0 and answer.rops:
            check(answer.rops[0] in (rawmapi.ROP_GET_PROPS_ALL,
                                     rawmapi.ROP_BUFFER_TOO_SMALL),
                  f"MaxRopOut {max_out}: response 0x{answer.rops[0]:02x}")
        check(raw.alive(logon), f"MaxRopOut {max_out}: the session is gone")
    raw.close()


readlib.main()
