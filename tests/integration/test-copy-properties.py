#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
"""RopCopyTo and RopCopyProperties between messages, embedded messages and
attachments: copies are what the originals are."""

import os
import random
import struct

import savegen
from readlib import TestFailure, check, check_equal, main
from savelib import (
    ATTACHMENTS, ATTACH_DATA, ATTACH_METHOD, ATTACH_NAME, ATTACH_OBJECT, BODY,
    COPY_PROPS, COPY_TO, CREATE, DISPLAY_NAME, EC_COMPUTED,
    EC_DST_NULL_OBJECT, EC_NOT_FOUND, EC_NO_ACCESS, ENTRY_ID, HTML,
    IMPORTANCE, MID, NONE, READ_ONLY, RECIPIENTS, SAVE_READ_WRITE,
    SMTP_ADDRESS, SUBJECT, UID, Error, Session)
from writelib import append_many, clear

SEED = int(os.environ.get("SAVE_SEED", random.getrandbits(32)))
COUNT = int(os.environ.get("SAVE_COUNT", "12"))
MOVE, NO_OVERWRITE = 1, 2
BAG, LARGE = 0x6701001F, 0x67020102
EC_NOT_SUPPORTED, EC_INVALID_PARAM = 0x80040102, 0x80070057
EC_MESSAGE_CYCLE, EC_NULL_OBJECT = 0x504, 0x4B9

RECEIVED = b"""From: Ann <ann@example.net>\r
To: alice@example.org, =?utf-8?q?B=C3=B6b?= <bob@example.org>\r
Subject: Re: received\r
Date: Mon, 2 Jan 2023 10:00:00 +0000\r
Message-ID: <received@example.net>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="m"\r
\r
--m\r
Content-Type: multipart/alternative; boundary="a"\r
\r
--a\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
Gr=C3=BC=C3=9Fe\r
--a\r
Content-Type: text/html; charset=utf-8\r
\r
<html><body><p>Hello</p></body></html>\r
--a--\r
--m\r
Content-Type: application/pdf; name="a.pdf"\r
Content-Disposition: attachment; filename="a.pdf"\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--m\r
Content-Type: message/rfc822\r
\r
From: inner@example.net\r
Subject: inner\r
Content-Type: text/plain\r
\r
inner text\r
--m--\r
"""


def fails(what, code, func, *args, **named):
    try:
        func(*args, **named)
    except Error as exc:
        check_equal(hex(exc.code), hex(code), what)
    else:
        raise TestFailure(f"{what} succeeded")


def message(session, values):
    handle = session.create()
    check_equal(session.set(handle, values), {}, "RopSetProperties")
    return handle


def reread(session, handle):
    """Saved, and opened again"""
    mid = session.save(handle)
    return session.open_message(mid), mid


def test_generated(server):
    """A copy of a whole message"""
    print(f"     SAVE_SEED={SEED}")
    session = Session(server)
    for i in range(COUNT):
        what = f"SAVE_SEED={SEED + i} SAVE_COUNT=1"
        wanted = savegen.Generator(SEED + i).message()
        source = session.create()
        savegen.write(session, source, wanted)
        # of one that isn't stored, and of one that is
        for kind in ("new", "stored"):
            dest = session.create()
            check_equal(session.copy_to(source, dest), {}, what)
            savegen.compare(session, dest, wanted, f"{what}, copy of {kind}")
            dest, mid = reread(session, dest)
            savegen.compare(session, dest, wanted, f"{what}, copy of {kind}, "
                            "saved", mid)
            session.release(dest)
            source, mid = reread(session, source)
        savegen.compare(session, source, wanted, what + ", the original", mid)
        session.release(source)
    session.close()
    clear(server)


def test_embedded(server):
    """A message in an attachment to a folder, and back"""
    session = Session(server)
    wanted = savegen.Generator(SEED).message()
    outer = message(session, {SUBJECT: "outer"})
    attach, num = session.create_attachment(outer)
    session.set(attach, {ATTACH_METHOD: 5})
    inner = session.open_embedded(attach, CREATE)
    source = session.create()
    savegen.write(session, source, wanted)
    check_equal(session.copy_to(source, inner), {}, "into an attachment")
    session.save(inner)
    session.save_attachment(attach, outer)
    outer, _ = reread(session, outer)
    inner = session.open_embedded(session.open_attachment(outer, num))
    savegen.compare(session, inner, wanted, "in the attachment")
    dest = session.create()
    check_equal(session.copy_to(inner, dest), {}, "out of the attachment")
    dest, mid = reread(session, dest)
    savegen.compare(session, dest, wanted, "out of the attachment", mid)
    session.close()
    clear(server)


def test_received(server):
    """What is derived from its text is copied, too."""
    append_many(server, "INBOX", [RECEIVED])
    session = Session(server)
    mid = session.contents(session.inbox_id, (MID,))[0][MID]
    source = session.open_message(mid)
    dest = session.create()
    check_equal(session.copy_to(source, dest), {}, "RopCopyTo")
    dest, dest_mid = reread(session, dest)
    check(mid != dest_mid, "another message")
    tags = (SUBJECT, BODY, HTML, 0x0C1A001F, 0x1035001F, 0x00390040,
            0x0E04001F)
    check_equal(session.get(dest, tags), session.get(source, tags),
                "properties")
    check_equal([row[:4] for row in session.recipients(dest, dest_mid)],
                [row[:4] for row in session.recipients(source, mid)],
                "recipients")
    check_equal(session.attachment_nums(dest), [0, 1], "attachments")
    attach = session.open_attachment(dest, 0)
    check_equal(session.get(attach, (ATTACH_NAME, ATTACH_DATA))[0],
                {ATTACH_NAME: "a.pdf", ATTACH_DATA: b"%PDF-1.4\n"}, "PDF")
    inner = session.open_embedded(session.open_attachment(dest, 1))
    check_equal(session.get(inner, (SUBJECT, BODY))[0],
                {SUBJECT: "inner", BODY: "inner text"}, "embedded message")
    session.close()
    clear(server)


def with_everything(session, name):
    handle = message(session, {SUBJECT: name, BODY: name, BAG: name,
                               IMPORTANCE: 2})
    session.write_stream(handle, LARGE, name.encode() * 20000)
    address = f"{name}@example.org"
    session.modify_recipients(handle, (SMTP_ADDRESS,), [
        (0, 1, name, address, {SMTP_ADDRESS: address})])
    attach, _ = session.create_attachment(handle)
    session.set(attach, {ATTACH_METHOD: 1, ATTACH_NAME: name,
                         ATTACH_DATA: name.encode()})
    session.save_attachment(attach, handle)
    return reread(session, handle)


def look(session, handle, mid):
    """Subject, body, bag, the large one, recipients, attachments"""
    values = session.get(handle, (SUBJECT, BODY, BAG, IMPORTANCE))[0]
    try:
        large = session.read_stream(handle, LARGE).decode()
    except Error as exc:
        check_equal(exc.code, EC_NOT_FOUND, "RopOpenStream")
        large = ""
    names = [session.get_one(session.open_attachment(handle, num),
                             ATTACH_NAME)
             for num in session.attachment_nums(handle)]
    return (values.get(SUBJECT), values.get(BODY), values.get(BAG),
            large[:len(large) // 20000],
            [row[2] for row in session.recipients(handle, mid)], names)


def test_options(server):
    session = Session(server)
    source, source_mid = with_everything(session, "source")
    whole = ("source", "source", "source", "source", ["source"], ["source"])
    check_equal(look(session, source, source_mid), whole, "source")

    def case(what, wanted, name="dest", **options):
        if name is None:
            dest, mid = reread(session, message(session, {SUBJECT: "empty"}))
        else:
            dest, mid = with_everything(session, name)
        check_equal(session.copy_to(source, dest, **options), {}, what)
        session.save(dest)
        dest = session.open_message(mid)
        check_equal(look(session, dest, mid), wanted, what)
        session.release(dest)

    case("everything", whole)
    case("excluded", ("source", "dest", "source", "dest", ["source"],
                      ["dest"]), excluded=(BODY, HTML, LARGE, ATTACHMENTS,
                                           0x10160003, 0x0E1F000B))
    # any type of it
    case("excluded", ("dest", "source", "source", "source", ["dest"],
                      ["source"]),
         excluded=(SUBJECT & 0xffff0000, 0x0E1D001E, 0x003D001E, RECIPIENTS))
    case("no subobjects", ("source", "source", "source", "source", ["dest"],
                           ["dest"]), sub_objects=0)
    case("NoOverwrite", ("dest", "dest", "dest", "dest", ["dest"], ["dest"]),
         flags=NO_OVERWRITE)
    case("NoOverwrite", ("empty", "", "source", "source", ["source"],
                         ["source"]), name=None, flags=NO_OVERWRITE)
    check_equal(look(session, source, source_mid), whole, "source")
    case("Move", whole, flags=MOVE)
    session.save(source)
    source = session.open_message(source_mid)
    check_equal(look(session, source, source_mid)[2:], (None, "", [], []),
                "what has been moved")
    session.close()
    clear(server)


def test_copy_properties(server):
    session = Session(server)
    source, source_mid = with_everything(session, "source")
    dest, mid = with_everything(session, "dest")
    check_equal(session.copy_props(source, dest, (
        BAG, 0x6789001F, ENTRY_ID, LARGE)),
        {0x6789001F: EC_NOT_FOUND, ENTRY_ID: EC_COMPUTED}, "problems")
    check_equal(look(session, dest, mid), (
        "dest", "dest", "source", "source", ["dest"], ["dest"]), "properties")
    check_equal(session.copy_props(source, dest, (RECIPIENTS, ATTACHMENTS)),
                {}, "subobjects")
    check_equal(look(session, session.open_message(mid), mid)[2], "dest",
                "not before it's saved")
    session.save(dest)
    dest = session.open_message(mid)
    check_equal(look(session, dest, mid), (
        "dest", "dest", "source", "source", ["source"], ["source"]), "saved")
    check_equal(session.copy_props(source, dest, (SUBJECT, 0x6789001F),
                                   NO_OVERWRITE),
                {0x6789001F: EC_NOT_FOUND}, "NoOverwrite")
    check_equal(session.get_one(dest, SUBJECT), "dest", "Subject")
    check_equal(session.copy_props(source, dest, (BAG, SUBJECT), MOVE), {},
                "Move")
    session.save(source)
    check_equal(look(session, session.open_message(source_mid),
                     source_mid)[2], None, "moved")
    session.close()
    clear(server)


def test_attachments(server):
    session = Session(server)
    source, _ = with_everything(session, "source")
    dest, mid = with_everything(session, "dest")
    from_attach = session.open_attachment(source, 0)
    attach, num = session.create_attachment(dest)
    check_equal(session.copy_to(from_attach, attach), {}, "RopCopyTo")
    session.set(attach, {DISPLAY_NAME: "copied"})
    session.save_attachment(attach, dest)
    other = session.open_attachment(dest, 0)
    check_equal(session.copy_props(from_attach, other, (
        ATTACH_DATA, 0x0E210003)), {0x0E210003: EC_COMPUTED}, "problems")
    session.save_attachment(other, dest)
    session.save(dest)
    dest = session.open_message(mid)
    check_equal([session.get(session.open_attachment(dest, n), (
        ATTACH_NAME, ATTACH_DATA, DISPLAY_NAME))[0] for n in (0, num)], [
            {ATTACH_NAME: "dest", ATTACH_DATA: b"source"},
            {ATTACH_NAME: "source", ATTACH_DATA: b"source",
             DISPLAY_NAME: "copied"}], "attachments")
    # one with a message in it
    inner = session.open_embedded(attach, CREATE)
    session.set(inner, {SUBJECT: "inner", BAG: "inner"})
    session.save(inner)
    other, number = session.create_attachment(dest)
    check_equal(session.copy_props(attach, other, (
        ATTACH_METHOD, ATTACH_OBJECT)), {}, "embedded message")
    session.save_attachment(other, dest)
    session.save(dest)
    inner = session.open_embedded(session.open_attachment(
        session.open_message(mid), number))
    check_equal(session.get(inner, (SUBJECT, BAG))[0],
                {SUBJECT: "inner", BAG: "inner"}, "embedded message")
    session.close()
    clear(server)


def test_errors(server):
    session = Session(server)
    source, _ = with_everything(session, "source")
    dest, mid = with_everything(session, "dest")
    uid = session.get_one(dest, UID)
    for rop, tail in ((COPY_TO, struct.pack("<BBBH", 0, 1, 0, 0)),
                      (COPY_PROPS, struct.pack("<BBH", 0, 0, 0))):
        answer = session.raw.execute(bytes([rop, 0, 0, 1]) + tail,
                                     [source, NONE])
        check_equal(answer.rops, struct.pack("<BBII", rop, 0,
                                             EC_DST_NULL_OBJECT, 1),
                    "no destination")
    fails("no source", EC_NULL_OBJECT, session.copy_to, NONE, dest)
    fails("to itself", EC_MESSAGE_CYCLE, session.copy_to, dest, dest)
    outer, _ = session.create_attachment(dest)
    inner = session.open_embedded(outer, CREATE)
    fails("to what is in it", EC_MESSAGE_CYCLE, session.copy_to, dest, inner)
    fails("flags", EC_INVALID_PARAM, session.copy_to, source, dest, flags=4)
    attach = session.open_attachment(source, 0)
    fails("to another kind", EC_NOT_SUPPORTED, session.copy_to, source, attach)
    fails("to the store", EC_NOT_SUPPORTED, session.copy_to, source,
          session.logon)
    reader = session.open_message(mid, mode=READ_ONLY)
    fails("to one that is only read", EC_NO_ACCESS, session.copy_to, source,
          reader)
    fails("to one that is only read", EC_NO_ACCESS, session.copy_props,
          source, reader, (SUBJECT,))
    # moving takes away: nothing that may only be read
    fails("from one that is only read", EC_NO_ACCESS, session.copy_props,
          reader, source, (SUBJECT,), MOVE)
    session.save(dest)
    check_equal(session.get_one(dest, UID), uid, "is what it was")
    session.close()


main()
