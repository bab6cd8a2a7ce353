#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
"""Responses that have been started with PROCESSING arrive as a whole, however
slowly their client reads."""

import base64
import http.client
import os
import signal
import socket
import struct
import time
from email.message import EmailMessage

import rawmapi
from rawmapi import RawMapi, execute_body, rop_buffer, rpc_ext
from readlib import append, check, check_equal, main

NONE = 0xffffffff
PIDTAG_MID, PIDTAG_BODY = 0x674A0014, 0x1000001F
READ_SIZE = 0x7000
# answers in one response; together far more than the socket takes
READS = 8
TEXT = "".join(f"{number:06d} " for number in range(100000))


class SmallConnection(http.client.HTTPConnection):
    """With a socket that takes only a little at once."""

    def connect(self):
        self.sock = socket.socket()
        self.sock.settimeout(self.timeout)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.sock.connect((self.host, self.port))


def workers(server):
    master = server.env["MASTER_PID"]
    with open(f"/proc/{master}/task/{master}/children",
              encoding="ascii") as f:
        pids = f.read().split()
    return [int(pid) for pid in pids if open(
        f"/proc/{pid}/comm", encoding="ascii").read().strip() == "mapi"]


def rop(raw, request, handles):
    answer = raw.execute(request, handles)
    check_equal((answer.code, answer.error, answer.return_value()), (0, 0, 0),
                "operation")
    return answer


def open_body(raw):
    """The stream of the only message's body"""
    _, folder, table = raw.inbox_table()
    answer = rop(raw, struct.pack("<BBBBHI", rawmapi.ROP_SET_COLUMNS, 0, 0, 0,
                                  1, PIDTAG_MID) +
                 struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1,
                             10), [table])
    answer = rop(raw, struct.pack("<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1,
                                  0xFFF) + raw.logon_ids[4] + b"\0" +
                 answer.rops[17:25], [folder, NONE])
    answer = rop(raw, struct.pack("<BBBBIB", rawmapi.ROP_OPEN_STREAM, 0, 0, 1,
                                  PIDTAG_BODY, 0), [answer.handles[1], NONE])
    return answer.handles[1]


def read_slowly(raw, body):
    """Sends an Execute that the worker takes a while for; returns its answer
    as http.client reads it after the server has had to wait."""
    stopped = workers(raw.server)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    auth = base64.b64encode(f"{raw.user}:{raw.password}".encode()).decode()
    raw.http.request("POST", "/mapi/emsmdb/", body, {
        "Authorization": "Basic " + auth,
        "Content-Type": "application/mapi-http",
        "X-RequestType": "Execute", "X-RequestId": raw.guid + ":99",
        "X-ClientInfo": raw.guid + ":1",
        "Cookie": "; ".join(f"{n}={v}" for n, v in raw.cookies.items())})
    # until the response is started
    time.sleep(1)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    # until the answer has come, and can't be sent
    time.sleep(1)
    response = raw.http.getresponse()
    return rawmapi.Answer(response, response.read())


def test_slow_client(server):
    msg = EmailMessage()
    msg["From"] = "sender@example.net"
    msg.set_content(TEXT)
    append(server, "INBOX", msg.as_bytes())

    raw = RawMapi(server)
    raw.http = SmallConnection("127.0.0.1", int(server.env["HTTP_PORT"]),
                               timeout=20)
    stream = open_body(raw)
    buffers = b""
    for i in range(READS):
        buffers += rpc_ext(rop_buffer(
            struct.pack("<BBBH", rawmapi.ROP_READ_STREAM, 0, 0, READ_SIZE),
            [stream]), flags=4 if i + 1 == READS else 0)
    answer = read_slowly(raw, execute_body(buffers, max_out=0x40000))
    check_equal((answer.status, answer.code), (200, 0), "response")
    answer.parse_execute()
    check_equal(answer.error, 0, "ErrorCode")
    data = b""
    pos = 0
    while pos < len(answer.rops):
        check_equal(answer.return_value(pos), 0, "RopReadStream")
        size = struct.unpack_from("<H", answer.rops, pos + 6)[0]
        data += answer.rops[pos + 8:pos + 8 + size]
        pos += 8 + size
    check_equal(len(data), READS * READ_SIZE, "bytes read")
    check(TEXT.encode("utf-16-le").startswith(data), "wrong bytes")
    raw.close()


main()
