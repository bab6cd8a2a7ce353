#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: worker.conf
# may-log: killed with signal 9
"""Worker processes: who they serve, as whom they run, how they end."""

import os
import re
import signal
import struct
import threading
import time

import readlib
from rawmapi import RawMapi, EC_NULL_OBJECT
from readlib import check, check_equal

NONE = 0xffffffff
CONTEXT_NOT_FOUND = 10
EC_UNKNOWN_USER, EC_LOGIN_PERM = 0x3EB, 0x3F2
EC_ACCESS_DENIED = 0x80070005
EC_MAX_OBJS_EXCEEDED = 0x4DE
ORG = "/o=Devserver/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)" \
      "/cn=Recipients/cn="


def worker_pids(server, user):
    pids = []
    for line in server.doveadm("who", "-1").split("\n")[1:]:
        fields = line.split()
        if len(fields) >= 3 and fields[0] == user and fields[1] == "mapi":
            pids.append(int(fields[2]))
    return pids


def wait_until(func, what, timeout=10):
    deadline = time.monotonic() + timeout
    while not func():
        check(time.monotonic() < deadline, f"not within {timeout} s: {what}")
        time.sleep(0.05)


def connect_error(server, dn, flags=0):
    """ErrorCode of a Connect"""
    raw = RawMapi(server)
    answer = raw.request("Connect", dn.encode() + b"\0" + struct.pack(
        "<IIIII", flags, 1252, 1033, 1033, 0))
    check_equal(answer.code, 0, "X-ResponseCode")
    status, error = struct.unpack_from("<II", answer.body)
    check_equal(status, 0, "StatusCode")
    raw.close()
    return error


def test_connect_answer(server):
    raw = RawMapi(server)
    body = raw.connect().body
    _, _, polls, count, delay = struct.unpack_from("<IIIII", body)
    check(polls > 0 and count > 0 and delay > 0, "no polling parameters")
    prefix, _, rest = body[20:].partition(b"\0")
    check_equal(prefix, b"", "DnPrefix")
    end = 0
    while rest[end:end + 2] != b"\0\0":
        end += 2
    check_equal(rest[:end].decode("utf-16-le"), "alice", "DisplayName")
    size = struct.unpack_from("<I", rest, end + 2)[0]
    aux = rest[end + 6:]
    check_equal(len(aux), size, "AuxiliaryBufferSize")
    # RPC_HEADER_EXT, then blocks that end where it says
    _, flags, length, actual = struct.unpack_from("<HHHH", aux)
    check_equal((flags, length, actual), (4, size - 8, size - 8),
                "RPC_HEADER_EXT")
    pos, types = 8, []
    while pos < len(aux):
        block, _, kind = struct.unpack_from("<HBB", aux, pos)
        check(block >= 4, "AUX_HEADER.Size")
        types.append(kind)
        pos += block
    check_equal(pos, len(aux), "AUX blocks")
    # EXORGINFO, CLIENT_CONTROL, ENDPOINT_CAPABILITIES
    check_equal(sorted(types), [0x0A, 0x17, 0x48], "AUX block types")
    raw.close()


def test_connect_dn(server):
    alice, bob = server.users[:2]
    for dn, flags, wanted in (
            (ORG + alice, 0, 0),
            (ORG.upper() + alice.upper(), 0, 0),
            (ORG + bob, 0, EC_ACCESS_DENIED),
            (ORG + "nobody@example.org", 0, EC_ACCESS_DENIED),
            ("/o=Other" + ORG[12:] + alice, 0, EC_UNKNOWN_USER),
            (alice, 0, EC_UNKNOWN_USER),
            ("", 0, EC_ACCESS_DENIED),
            (ORG + alice, 1, EC_LOGIN_PERM)):
        check_equal(hex(connect_error(server, dn, flags)), hex(wanted), dn)


def test_who_and_kick(server):
    alice, bob = server.users[:2]
    first, second = RawMapi(server, user=alice), RawMapi(server, user=bob)
    first_logon, second_logon = first.start(), second.start()
    wait_until(lambda: worker_pids(server, alice) and
               worker_pids(server, bob), "doveadm who shows the sessions")
    pid = worker_pids(server, bob)[0]
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        uids = re.search(r"^Uid:\s+(\d+)\s+(\d+)", f.read(), re.M).groups()
    uid = "5000" if os.geteuid() == 0 else str(os.geteuid())
    check_equal(uids, (uid, uid), "uids of the worker")
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        check(bob.encode() in f.read(), "process title lacks the user")

    server.doveadm("kick", alice)
    wait_until(lambda: not worker_pids(server, alice), "kicked")
    check_equal(first.request("Execute", b"").code, CONTEXT_NOT_FOUND,
                "X-ResponseCode after the kick")
    check(second.alive(second_logon), "another's session")
    del first_logon


def test_worker_killed(server):
    alice, bob = server.users[:2]
    first, second = RawMapi(server, user=alice), RawMapi(server, user=bob)
    first.start()
    logon = second.start()
    wait_until(lambda: worker_pids(server, alice), "doveadm who")
    for pid in worker_pids(server, alice):
        os.kill(pid, signal.SIGKILL)
    answer = first.request("Execute", b"\0" * 16)
    check_equal(answer.code, CONTEXT_NOT_FOUND, "X-ResponseCode")
    check(second.alive(logon), "another's session")
    # and a new one can be had at once
    again = RawMapi(server, user=alice)
    check(again.alive(again.start()), "a new session")


def test_reload(server):
    raw = RawMapi(server)
    logon = raw.start()
    server.doveadm("reload")
    time.sleep(1)
    raw.close()         # the old login process may have closed it
    check(raw.alive(logon), "the session after doveadm reload")


def test_disconnect(server):
    raw = RawMapi(server)
    raw.start()
    answer = raw.request("Disconnect", struct.pack("<I", 0))
    check_equal(answer.code, 0, "X-ResponseCode")
    check_equal(answer.body, b"\0" * 12, "Disconnect")
    check(raw.request("Execute", b"").code != 0, "Execute after Disconnect")


def test_notification_wait(server):
    raw = RawMapi(server)
    logon = raw.start()
    other = RawMapi(server)
    other.cookies = dict(raw.cookies)
    result = []

    def wait():
        start = time.monotonic()
        answer = other.request("NotificationWait", struct.pack("<II", 0, 0))
        result.append((answer, time.monotonic() - start))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    check(raw.alive(logon), "Execute beside NotificationWait")
    check(not result, "NotificationWait was answered at once")
    thread.join()
    answer, took = result[0]
    check_equal(answer.code, 0, "X-ResponseCode")
    # StatusCode, ErrorCode, EventPending, AuxiliaryBufferSize
    check_equal(answer.body, b"\0" * 16, "NotificationWait")
    check(1.9 < took < 6, f"answered after {took:.1f} s")


def test_object_limit(server):
    """50, the logon among them"""
    raw = RawMapi(server)
    logon = raw.start()
    rop = struct.pack("<BBBB", 0x02, 0, 0, 1) + raw.logon_ids[4] + b"\0"
    errors = [raw.execute(rop, [logon, NONE]).return_value()
              for _ in range(51)]
    check_equal(errors[:49], [0] * 49, "up to the limit")
    check_equal(errors[49:], [EC_MAX_OBJS_EXCEEDED] * 2, "beyond the limit")
    # whoever releases may go on
    raw.execute(b"\x01\0\1", [logon, raw.execute(
        b"\x01\0\0", [NONE]).handles[0]])
    check(raw.alive(logon), "the session at its limit")


def test_handles_are_the_sessions_own(server):
    first, second = RawMapi(server), RawMapi(server, user=server.users[1])
    logon = first.start()
    second.connect()
    # RopGetPropertiesList on the other's logon
    answer = second.execute(b"\x09\0\0", [logon])
    check_equal(answer.return_value(), EC_NULL_OBJECT, "ReturnValue")


def test_stats(server):
    raw = RawMapi(server)
    raw.start()
    text = server.doveadm("stats", "dump")
    check(re.search(r"^mapi_rops_RopLogon\s+duration\s+[1-9]", text, re.M),
          "no mapi_rop_finished events for RopLogon:\n" + text)
    check(re.search(r"^mapi_requests_Connect\s+duration\s+[1-9]", text, re.M),
          "no mapi_request_finished events for Connect:\n" + text)


if __name__ == "__main__":
    readlib.main()
