#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: bench.conf
# timeout: 3600
"""How fast the message list of a folder is whose messages a MAPI client has saved, so
that each has a property bag, beside IMAP's SORT and FETCH of the same messages in
the same run, each by one connection with TLS. BENCH_BAGS (10000) says how many
messages."""

import importlib.util
import os
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import readlib  # noqa: E402
import savelib  # noqa: E402
from savelib import BODY, NONE, SUBJECT  # noqa: E402

SPEC = importlib.util.spec_from_file_location(
    "bench_mail", os.path.join(HERE, "bench-mail.py"))
bench_mail = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bench_mail)

COUNT = int(os.environ.get("BENCH_BAGS", "10000"))
FOLDER = "Saved"
BAG = 0x6701001F


def save_request(folder_id, number):
    """Creates a message, sets its properties and saves it."""
    values = {SUBJECT: f"Message {number} of many", BODY: "Hello\r\n" * 50,
              BAG: f"what only the bag of message {number} says",
              0x00390040: 133170000000000000 + number * 10**9,
              0x0C1A001F: f"Sender {number % 100}", 0x0C1E001F: "SMTP",
              0x0C1F001F: f"sender{number % 100}@example.net"}
    body = struct.pack("<H", len(values)) + b"".join(
        struct.pack("<I", tag) + savelib.pack_value(tag & 0xffff, value)
        for tag, value in values.items())
    return bytes([savelib.CREATE_MESSAGE, 0, 0, 1]) + \
        struct.pack("<H", 0x0fff) + folder_id + b"\0" + \
        bytes([savelib.SET_PROPS, 0, 1]) + struct.pack("<H", len(body)) + \
        body + bytes([savelib.SAVE_MESSAGE, 0, 0, 1, 0, 0x01, 0, 1])


def save_all(server):
    bench_mail.ImapFiller().fill(FOLDER, 0, 0, 0)
    session = savelib.Session(server)
    folder_id = session.folder_id(FOLDER)
    start = time.monotonic()
    for number in range(COUNT):
        answer = session.raw.execute(save_request(folder_id, number),
                                     [session.logon, NONE])
        if answer.error or answer.rops[-15:-9] != struct.pack(
                "<BBI", savelib.SAVE_MESSAGE, 0, 0):
            raise OSError(f"not saved: {answer.rops.hex()}")
    session.close()
    return time.monotonic() - start


def main():
    server = readlib.Server()
    print(f"{COUNT} messages with bags ({server.format}), saved in "
          f"{save_all(server):.0f} s:", flush=True)
    result, sampler = bench_mail.figures(
        "table", "--folder", FOLDER, "--imap",
        "localhost:" + server.env["IMAPS_PORT"])
    if result["messages"] != COUNT:
        raise OSError(f"{result['messages']} messages in the table")
    bench_mail.show("open, sort by time, read 50 rows", result,
                    "open_sort_50_rows", 2)
    bench_mail.show("page through all rows", result, "page_all_rows", 3)
    bench_mail.show_memory(sampler)


if __name__ == "__main__":
    try:
        main()
    except OSError as exc:
        sys.exit(f"bench-bags: {exc}")
