#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams of messages and attachments that are longer than what is read at once:
they can be read to their end when the message has been changed or released, and a
session may end with them."""

import base64
import struct

import rawmapi
import readlib
from readlib import append, check
from savelib import (
    ATTACH_DATA, BODY, MID, READ_WRITE, SAVE_READ_WRITE, SUBJECT, Session)

BAG = 0x6701001F
TEXT = b"".join(b"line %07d of a long text\r\n" % i for i in range(40000))
DATA = bytes(range(256)) * 4096


def message():
    head = (b"From: a@example.net\r\nSubject: long\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/mixed; boundary=X\r\n\r\n")
    return head + b"--X\r\nContent-Type: text/plain\r\n\r\n" + TEXT + (
        b"\r\n--X\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Disposition: attachment; filename=a.bin\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n") + \
        base64.encodebytes(DATA).replace(b"\n", b"\r\n") + b"--X--\r\n"


class Open:
    """A session that has the message and both streams open"""

    def __init__(self, server):
        if not server.appended:
            append(server, "INBOX", message())
            server.appended = True
        self.session = Session(server)
        self.mid = self.session.contents(
            self.session.inbox_id, (MID,))[0][MID]
        self.message = self.session.open_message(self.mid, mode=READ_WRITE)
        self.attach = self.session.open_attachment(self.message, 0)
        self.text = self.session.open_stream(self.message, BODY)[0]
        self.data = self.session.open_stream(self.attach, ATTACH_DATA)[0]

    def change(self, value):
        self.session.set(self.message, {BAG: value})
        self.session.save(self.message, SAVE_READ_WRITE)

    def read(self, stream):
        data = b""
        while True:
            reader = self.session.rop(rawmapi.ROP_READ_STREAM,
                                      struct.pack("<H", 0x7000), [stream])
            part = reader.bytes(reader.get("H"))
            if not part:
                return data
            data += part

    def check(self):
        check(self.read(self.text).decode("utf-16le").encode() == TEXT, "text")
        check(self.read(self.data) == DATA, "data")
        self.session.close()


def test_saved(server):
    opened = Open(server)
    for value in "one", "two", "three":
        opened.change(value)
    opened.check()


def test_released(server):
    opened = Open(server)
    opened.session.release(opened.message)
    opened.session.release(opened.attach)
    opened.check()


def test_released_attachment_first(server):
    opened = Open(server)
    opened.session.release(opened.attach)
    opened.session.release(opened.message)
    opened.check()


def test_saved_and_released(server):
    opened = Open(server)
    opened.change("four")
    opened.session.release(opened.attach)
    opened.change("five")
    opened.session.release(opened.message)
    opened.check()


def test_text_only(server):
    """Nothing but the stream itself keeps what was saved from being forgotten."""
    opened = Open(server)
    opened.session.release(opened.data)
    opened.session.release(opened.attach)
    opened.change("six")
    opened.change("seven")
    check(opened.read(opened.text).decode("utf-16le").encode() == TEXT, "text")
    opened.session.release(opened.text)
    opened.change("eight")
    opened.session.close()


def test_content_changed(server):
    """The new message is made of the old one's streams, while nobody else reads."""
    opened = Open(server)
    for handle in opened.text, opened.data, opened.attach:
        opened.session.release(handle)
    for subject in "another", "one more":
        opened.session.set(opened.message, {SUBJECT: subject})
        opened.session.save(opened.message, SAVE_READ_WRITE)
    opened.session.close()
    Open(server).check()


def test_end_of_session(server):
    opened = Open(server)
    opened.change("nine")
    opened.session.close()
    Open(server).check()


readlib.Server.appended = False
readlib.main()
