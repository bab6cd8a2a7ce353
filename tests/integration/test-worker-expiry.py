#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: worker-expiry.conf
"""Sessions that nobody uses end, others don't."""

import struct
import time

import readlib
from rawmapi import RawMapi
from readlib import check, check_equal

# worker-expiry.conf
TIMEOUT = 3


def test_expiry(server):
    idle, used = RawMapi(server), RawMapi(server, user=server.users[1])
    waiting = RawMapi(server, user=server.users[2])
    idle.start()
    logon = used.start()
    waiting.start()
    deadline = time.monotonic() + TIMEOUT + 1.5
    while time.monotonic() < deadline:
        time.sleep(0.7)
        check(used.alive(logon), "a session that is used has expired")
        answer = waiting.request("NotificationWait",
                                 struct.pack("<II", 0, 0))
        check_equal(answer.code, 0, "NotificationWait")
    answer = idle.request("Execute", b"\0" * 16)
    check_equal(answer.code, 10, "X-ResponseCode of an expired session")
    check(used.alive(logon), "the other session")


if __name__ == "__main__":
    readlib.main()
