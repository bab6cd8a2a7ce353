#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 900
"""Messages that a MAPI client creates and changes: what another session reads is
what was saved, and IMAP has proper mail. SAVE_SEED and SAVE_COUNT choose what is
generated."""

import email.policy
import os
import random
import struct
import threading

import rawmapi
import readlib
import savegen
import savelib
from readlib import (
    check, check_equal, imap_ok, imap_session, main, parse_mail)
from savelib import (
    ATTACH_DATA, ATTACH_METHOD, ATTACH_MIME, ATTACH_NAME, BODY, CHANGE_KEY,
    CHANGE_NUMBER, CLASS, CREATED, EC_COMPUTED, EC_NOT_FOUND, EC_NO_ACCESS,
    EC_OBJECT_DELETED, EC_OBJECT_MODIFIED, EC_UNEXPECTED_TYPE, ENTRY_ID, HTML,
    MESSAGE_FLAGS, MID, MODIFIED, PCL, READ_ONLY, READ_WRITE, SAVE_FORCE,
    SAVE_READ_ONLY, SAVE_READ_WRITE, SEARCH_KEY, SMTP_ADDRESS, SOURCE_KEY,
    SUBJECT, UID, Error, Session)
from writelib import clear, state

SEED = int(os.environ.get("SAVE_SEED", random.getrandbits(32)))
COUNT = int(os.environ.get("SAVE_COUNT", "15"))
ACCESS, ACCESS_LEVEL = 0x0FF40003, 0x0FF70003
BAG = 0x6701001F


def generate(what):
    """(message, seed as the environment takes it)"""
    for i in range(COUNT):
        yield (savegen.Generator(SEED + i),
               f"SAVE_SEED={SEED + i} SAVE_COUNT=1, {what}")


def as_in_row(text):
    """As much of it as rows have"""
    return text.encode("utf-16-le")[:510].decode("utf-16-le", "ignore")


def fails(what, code, func, *args):
    try:
        func(*args)
    except Error as exc:
        check_equal(hex(exc.code), hex(code), what)
    else:
        raise readlib.TestFailure(f"{what} succeeded")


def uids(server, mailbox="INBOX"):
    return sorted(state(server, mailbox))


def fetch(server, uid, mailbox="INBOX"):
    with imap_session(server) as imap:
        imap_ok(imap.select(mailbox, readonly=True))
        data = imap_ok(imap.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        return data[0][1]


# --- the law -------------------------------------------------------------------

def compare_lists(before, after, what):
    """What a client sees before it saves is what it sees afterwards; there's
    more then."""
    # PidTagConversationIndex begins with the time if it isn't set
    changed = {MODIFIED, MESSAGE_FLAGS, ACCESS, 0x00710102}
    for tag, value in before.items():
        if tag & 0xffff0000 | 0xA in after:
            # too large for the response, of which more is in use now
            continue
        check(tag in after, f"{what}: {tag:08x} isn't there any more")
        check(tag in changed or isinstance(value, list) or
              savelib.same_value(value, after[tag]),
              f"{what}: {tag:08x} was {value!r}, is {after[tag]!r}")


def check_mime(server, uid, message, what):
    """What an IMAP client is most interested in"""
    mail = parse_mail(fetch(server, uid))
    check_equal(list(mail.defects), [], what + ": defects")
    wanted = [row for row in message["recipients"] if row[1] == 1]
    got = mail["To"].addresses if mail["To"] else ()
    check_equal([a.addr_spec for a in got], [row[3] for row in wanted],
                what + ": To")
    data = [a["props"].get(ATTACH_DATA, a["streams"].get(ATTACH_DATA))
            for a in message["attachments"] if a["message"] is None]
    parts = [part.get_payload(decode=True) for part in mail.walk()
             if not part.is_multipart()]
    for item in data:
        # a message/rfc822 that is none is written as it can be
        check(item in parts or not item or
              any(a["props"][ATTACH_MIME] != "application/pdf"
                  for a in message["attachments"] if a["message"] is None),
              f"{what}: an attachment of {len(item)} bytes isn't in the mail")


def test_generated(server):
    print(f"     SAVE_SEED={SEED}")
    session = Session(server)
    messages = []
    for generator, what in generate("created"):
        message = generator.message()
        handle = session.create()
        savegen.write(session, handle, message)
        savegen.compare(session, handle, message, what + ", not saved yet")
        before = session.get_all(handle)
        mid = session.save(handle, SAVE_READ_WRITE)
        savegen.compare(session, handle, message, what + ", saved", mid)
        session.release(handle)
        messages.append((mid, message, what, before))
    session.close()
    session = Session(server)
    for mid, message, what, before in messages:
        handle = session.open_message(mid)
        savegen.compare(session, handle, message, what + ", reread", mid)
        compare_lists(before, session.get_all(handle), what)
        check_mime(server, session.get_one(handle, UID), message, what)
        session.release(handle)
    rows = session.contents(session.inbox_id, (MID, SUBJECT, CLASS))
    for mid, message, what, _ in messages:
        row = [row for row in rows if row[MID] == mid]
        check_equal(len(row), 1, what + ": rows")
        check_equal(row[0][SUBJECT], as_in_row(message["props"][SUBJECT]),
                    what + ": row's subject")
    session.close()
    clear(server)


# --- saving again ----------------------------------------------------------------

def identity(session, mid):
    handle = session.open_message(mid)
    values = session.get(handle, (UID, CHANGE_NUMBER, CHANGE_KEY, PCL,
                                  SOURCE_KEY, SEARCH_KEY, CREATED,
                                  MODIFIED))[0]
    session.release(handle)
    # its bytes are in the order of a counter's
    values[CHANGE_NUMBER] = struct.pack("<q", values[CHANGE_NUMBER])[2:]
    return values


def check_identity(before, after, what):
    for tag in (SOURCE_KEY, SEARCH_KEY, CREATED):
        check_equal(after[tag], before[tag], f"{what}: {tag:08x}")
    for tag in (CHANGE_NUMBER, CHANGE_KEY, MODIFIED):
        check(after[tag] > before[tag], f"{what}: {tag:08x} hasn't grown")
    # a list of one: size and change key
    check_equal(after[PCL], bytes([len(after[CHANGE_KEY])]) +
                after[CHANGE_KEY], f"{what}: predecessors")


CHANGES = (savegen.change_properties, savegen.change_content,
           savegen.change_recipients, savegen.change_attachments)


def test_changes(server):
    clear(server)
    session, other = Session(server), Session(server)
    for generator, what in generate("changed"):
        message = generator.message()
        handle = session.create()
        savegen.write(session, handle, message)
        mid = session.save(handle, SAVE_READ_WRITE)
        before = identity(other, mid)
        for step in range(4):
            changes = [CHANGES[generator.random.randrange(2)]] + \
                generator.some(CHANGES[2:], 0.5)
            content = [change(session, handle, message, generator)
                       for change in changes]
            where = f"{what} {step + 1} times"
            check_equal(session.save(handle, SAVE_READ_WRITE), mid, where)
            savegen.compare(session, handle, message, where, mid)
            reread = other.open_message(mid)
            savegen.compare(other, reread, message, where + ", reread", mid)
            other.release(reread)
            after = identity(other, mid)
            check_identity(before, after, where)
            check_equal(after[UID] != before[UID], any(content),
                        where + ": another message over IMAP")
            before = after
        check_equal(uids(server), [before[UID]], what + ": mail")
        session.release(handle)
        clear(server)
    session.close()
    other.close()


def test_nothing_changed(server):
    session = Session(server)
    handle = session.create()
    session.set(handle, {SUBJECT: "same", BODY: "text\r\n", BAG: "bag"})
    mid = session.save(handle, SAVE_READ_WRITE)
    before = identity(session, mid)
    check_equal(session.save(handle, SAVE_READ_WRITE), mid, "MessageId")
    check_equal(identity(session, mid), before, "saved without a change")
    check_equal(session.set(handle, {ENTRY_ID: b"x"}),
                {ENTRY_ID: EC_COMPUTED}, "PidTagEntryId")
    session.save(handle, SAVE_READ_WRITE)
    check_equal(identity(session, mid), before, "nothing could be set")
    session.close()


# --- kinds of messages -------------------------------------------------------------

def test_mime(server):
    """A whole message as IMAP clients see it"""
    clear(server)
    session = Session(server)
    handle = session.create()
    session.set(handle, {
        SUBJECT: "RE: Gr\u00fc\u00dfe", BODY: "Hallo \u00c4\r\n.\r\nFrom x\r\n",
        0x3FDE0003: 65001,
        HTML: "<html><body><p>Hallo <b>\u00c4</b></p></body></html>".encode(),
        0x1042001F: "<parent@example.org>"})
    session.modify_recipients(handle, (SMTP_ADDRESS,), [
        (i, kind, name, address, {SMTP_ADDRESS: address})
        for i, (kind, name, address) in enumerate((
            (1, "B\u00f6b", "bob@example.org"),
            (2, "Carol, C.", "carol@example.org"),
            (3, "Dave", "dave@example.org")))])
    data = random.Random(1).randbytes(100000)
    attach, _ = session.create_attachment(handle)
    session.set(attach, {ATTACH_METHOD: 1, ATTACH_NAME: "r\u00e9sum\u00e9.pdf",
                         ATTACH_MIME: "application/pdf"})
    session.write_stream(attach, ATTACH_DATA, data)
    session.save_attachment(attach, handle)
    inner = handle
    opened = []
    for depth in range(3):
        attach, _ = session.create_attachment(inner)
        session.set(attach, {ATTACH_METHOD: 5})
        opened.append((attach, inner))
        inner = session.open_embedded(attach, savelib.CREATE)
        session.set(inner, {SUBJECT: f"inner {depth}",
                            BODY: f"text {depth}\r\n"})
        opened.append((inner, None))
    for obj, message in reversed(opened):
        if message is None:
            session.save(obj)
        else:
            session.save_attachment(obj, message)
    session.save(handle)
    session.close()

    text = fetch(server, uids(server)[0])
    check(b"\r\n.\r\n" not in text.replace(b"\r\n.\r\nFrom", b""),
          "lines in the way of SMTP")
    mail = parse_mail(text)
    check_equal(mail["Subject"], "RE: Gr\u00fc\u00dfe", "Subject")
    check_equal([(a.display_name, a.addr_spec) for a in mail["To"].addresses],
                [("B\u00f6b", "bob@example.org")], "To")
    check_equal([(a.display_name, a.addr_spec) for a in mail["Cc"].addresses],
                [("Carol, C.", "carol@example.org")], "Cc")
    check_equal(mail["In-Reply-To"], "<parent@example.org>", "In-Reply-To")
    check(mail["Date"], "Date")
    check_equal(mail.get_body(("plain",)).get_content(),
                "Hallo \u00c4\r\n.\r\nFrom x\r\n", "text")
    check("Hallo <b>\u00c4</b>" in mail.get_body(("html",)).get_content(),
          "HTML")
    pdf, message = list(mail.iter_attachments())
    check_equal((pdf.get_content_type(), pdf.get_filename(),
                 pdf.get_content()), ("application/pdf",
                                      "r\u00e9sum\u00e9.pdf", data), "PDF")
    for depth in range(3):
        check_equal(message.get_content_type(), "message/rfc822", "type")
        message = message.get_content()
        check_equal(message["Subject"], f"inner {depth}", "Subject")
        body = message.get_body(("plain",)).get_content()
        check_equal(body, f"text {depth}\r\n", "text")
        attachments = list(message.iter_attachments())
        check_equal(len(attachments), 1 if depth < 2 else 0, "attachments")
        if attachments:
            message = attachments[0]


def test_associated(server):
    clear(server)
    session = Session(server)
    handle = session.create(fai=True)
    session.set(handle, {CLASS: "IPM.Configuration.Test",
                         0x7C070102: b"<xml/>", SUBJECT: "Test"})
    mid = session.save(handle)
    check_equal(uids(server), [], "mail")
    session.close()
    session = Session(server)
    check_equal([row[MID] for row in session.contents(
        session.inbox_id, (MID,), fai=True)], [mid], "FAI messages")
    check_equal(session.contents(session.inbox_id, (MID,)), [], "messages")
    before = identity(session, mid)
    handle = session.open_message(mid)
    check_equal(session.get(handle, (CLASS, 0x7C070102))[0], {
        CLASS: "IPM.Configuration.Test", 0x7C070102: b"<xml/>"}, "reread")
    check(session.get_one(handle, MESSAGE_FLAGS) & 0x40, "mfFAI")
    session.set(handle, {0x7C070102: b"<other/>", SUBJECT: "Test 2"})
    session.save(handle)
    check_identity(before, identity(session, mid), "changed")
    handle = session.open_message(mid)
    check_equal(session.get(handle, (CLASS, 0x7C070102, SUBJECT))[0], {
        CLASS: "IPM.Configuration.Test", 0x7C070102: b"<other/>",
        SUBJECT: "Test 2"}, "reread")
    session.close()


def test_hidden_folders(server):
    """What Outlook keeps in folders that have no mail: the navigation pane's links
    in Common Views, when the user is free in Freebusy Data."""
    session = Session(server)
    ids = session.raw.logon_ids
    root = session.raw.open_folder(session.logon, ids[0])
    table, _ = session.open(rawmapi.ROP_HIERARCHY_TABLE, b"\0", root)
    freebusy = [struct.pack("<q", row[0x67480014]) for row in
                session.rows(table, (0x67480014, savelib.DISPLAY_NAME))
                if row[savelib.DISPLAY_NAME] == "Freebusy Data"]
    check_equal(len(freebusy), 1, "Freebusy Data")
    # Root, IPM subtree, Common Views, Views
    for fid, fai in [(ids[i], True) for i in (0, 3, 8, 11)] + \
            [(freebusy[0], True), (freebusy[0], False)]:
        what = f"{fid.hex()} {fai}"
        check_equal(session.contents(fid, (MID,), fai), [], what)
        message = session.create(fid, fai)
        session.set(message, {SUBJECT: "hidden", CLASS: "IPM.Test", BAG: "1"})
        mid = session.save(message)
        session.set(message, {BODY: "text", BAG: "2"})
        check_equal(session.save(message), mid, what)
        session.release(message)
        other = Session(server)
        message = other.open_message(mid, fid)
        check_equal(other.get(message, (SUBJECT, CLASS, BODY, BAG))[0],
                    {SUBJECT: "hidden", CLASS: "IPM.Test", BODY: "text",
                     BAG: "2"}, what)
        other.close()
        check_equal(session.contents(fid, (MID, CLASS), fai),
                    [{MID: mid, CLASS: "IPM.Test"}], what)
        check_equal(session.contents(fid, (MID,), not fai), [], what)
        # to the Inbox and back
        folder = session.raw.open_folder(session.logon, fid)
        inbox = session.raw.open_folder(session.logon, session.inbox_id)
        for source, dest in ((folder, inbox), (inbox, folder)):
            rows = session.contents(fid if source == folder else
                                    session.inbox_id, (MID,), fai)
            answer = session.raw.execute(struct.pack(
                "<BBBBHQBB", 0x33, 0, 0, 1, 1, rows[0][MID], 0, 0),
                [source, dest])
            check_equal((answer.return_value(), answer.rops[-1]), (0, 0),
                        what + " move")
        rows = session.contents(fid, (MID,), fai)
        answer = session.raw.execute(struct.pack(
            "<BBBBBHQ", 0x1E, 0, 0, 0, 0, 1, rows[0][MID]), [folder])
        check_equal((answer.return_value(), answer.rops[-1]), (0, 0),
                    what + " delete")
        check_equal(session.contents(fid, (MID,), fai), [], what)
    for fid in (ids[0], ids[3], ids[8]):
        fails("ordinary message", rawmapi.EC_NOT_SUPPORTED, session.create, fid)
    session.close()


def test_flags(server):
    """PidTagMessageFlags can be set until the message is saved."""
    clear(server)
    session = Session(server)
    for number, flags in ((0, {"\\Seen", "\\Draft"}), (1, {"\\Draft"}),
                          (2, {"\\Seen"}), (3, set()),
                          (4, {"\\Draft", "$MapiResend"})):
        handle = session.create()
        if number > 0:
            check_equal(session.set(handle, {
                MESSAGE_FLAGS: (8, 1, 0, 0x88)[number - 1]}), {}, "set")
        session.set(handle, {SUBJECT: str(number)})
        session.save(handle, SAVE_READ_WRITE)
        uid = session.get_one(handle, UID)
        check_equal(state(server, "INBOX")[uid], flags, "over IMAP")
        check_equal(session.get_one(handle, MESSAGE_FLAGS) & 0x89,
                    (9, 8, 1, 0, 0x88)[number], "over MAPI")
        check_equal(session.set(handle, {MESSAGE_FLAGS: 0}),
                    {MESSAGE_FLAGS: EC_COMPUTED}, "set when it's saved")
    session.close()


def test_new_message(server):
    """[MS-OXCMSG] 3.2.5.2"""
    session = Session(server)
    handle = session.create()
    values = session.get_all(handle)
    for tag, value in {
            0x00170003: 1, CLASS: "IPM.Note", 0x00360003: 0,
            0x0E02001F: "", 0x0E03001F: "", 0x0E04001F: "",
            MESSAGE_FLAGS: 9, 0x0E1B000B: False, 0x0E790003: 1, ACCESS: 3,
            ACCESS_LEVEL: 1}.items():
        check_equal(values.get(tag), value, f"{tag:08x}")
    check_equal(len(values[SEARCH_KEY]), 16, "PidTagSearchKey")
    check_equal(values[CREATED], values[MODIFIED], "times")
    check_equal(session.get(handle, (ENTRY_ID, MID, CHANGE_KEY))[0], {},
                "what it has when it's saved")
    session.close()
    clear(server)


# --- conflicts -------------------------------------------------------------------

def new_message(session, subject):
    handle = session.create()
    session.set(handle, {SUBJECT: subject, BODY: "one\r\n", BAG: "one"})
    mid = session.save(handle)
    session.release(handle)
    return mid


def test_edited(server):
    """What isn't content stays what it is while a client changes a message."""
    tags = (MESSAGE_FLAGS, 0x0E69000B, 0x0E170003, 0x0E140003, SEARCH_KEY, MID,
            ENTRY_ID, CHANGE_KEY, CREATED, MODIFIED, ACCESS, ACCESS_LEVEL,
            0x10900003, 0x10810003, 0x67AA000B)
    readlib.append(server, "INBOX", b"From: a@example.net\r\nSubject: edited\r\n"
                   b"Message-ID: <1@example.net>\r\n"
                   b"Disposition-Notification-To: a@example.net\r\n\r\ntext\r\n",
                   flags="\\Flagged \\Answered")
    session = Session(server)
    draft = session.create()
    session.set(draft, {SUBJECT: "draft"})
    session.save(draft)
    session.release(draft)
    folder = session.raw.open_folder(session.logon, session.inbox_id)
    for row in session.contents(session.inbox_id, (MID,)):
        # PidTagMessageStatus
        session.rop(0x20, struct.pack("<QII", row[MID], 0x1000, 0x1000),
                    [folder])
        for change in ({SUBJECT: "other"}, {BODY: "other"}):
            message = session.open_message(row[MID], mode=READ_WRITE)
            before = session.get(message, tags)
            session.set(message, change)
            check_equal(session.get(message, tags), before, str(change))
            session.release(message)
    session.close()
    clear(server)


def test_reminder(server):
    """A message that has been received isn't rewritten when somebody wants to be
    reminded of it ([MS-OXOFLAG] 2.2.3.1)."""
    reply_time, flag_status = 0x00300040, 0x10900003
    readlib.append(server, "INBOX", b"From: a@example.net\r\nSubject: r\r\n"
                   b"Reply-By: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\ntext\r\n")
    session = Session(server)
    names = session.ids([(savelib.PSETID_COMMON, lid) for lid in
                         (0x8503, 0x8502)])
    reminder = (names[0] << 16 | 0xB, names[1] << 16 | 0x40)
    mid = session.contents(session.inbox_id, (MID,))[0][MID]
    uid = uids(server)
    text = fetch(server, uid[0])
    times = []
    for value in (133500000000000000, 133600000000000000, None):
        message = session.open_message(mid, mode=READ_WRITE)
        times.append(session.get_one(message, reply_time))
        if value is None:
            session.delete(message, (reply_time,) + reminder)
        else:
            session.set(message, {reply_time: value, flag_status: 2,
                                  reminder[0]: True, reminder[1]: value})
        session.save(message)
        session.release(message)
    check_equal(times[1:], [133500000000000000, 133600000000000000], "times")
    message = session.open_message(mid)
    check_equal(session.get(message, (reply_time,) + reminder)[0], {},
                "deleted")
    check_equal(uids(server), uid, "UID")
    check_equal(fetch(server, uid[0]), text, "message")
    session.close()
    clear(server)


def test_recipient_properties(server):
    """Recipients may have properties of any kind."""
    session = Session(server)
    named = session.ids([(savelib.PS_PUBLIC_STRINGS, "of a recipient")])[0]
    columns = (named << 16 | 0x1F, 0x6700101F, 0x67010102)
    row = (0, 1, "name", "user@example.org",
           {columns[0]: "named", columns[1]: ["a", "b"], columns[2]: b"\0"})
    message = session.create()
    session.set(message, {SUBJECT: "recipients"})
    session.modify_recipients(message, columns, [row])
    mid = session.save(message)
    check_equal(session.recipients(message, mid), [row], "saved")
    session.release(message)
    # as they are when others are added
    message = session.open_message(mid, mode=READ_WRITE)
    other = (1, 2, "other", "other@example.org", {})
    session.modify_recipients(message, (), [other])
    session.save(message)
    session.close()
    session = Session(server)
    message = session.open_message(mid)
    check_equal(session.recipients(message, mid), [row, other], "changed")
    session.close()
    clear(server)


def test_subject(server):
    """Of the properties that make up the subject the last ones hold, however
    many requests set them before the message is saved."""
    prefix, normalized = 0x003D001F, 0x0E1D001F
    session = Session(server)
    for what, expected in (
            (({SUBJECT: "RE: a", prefix: "RE: ", normalized: "a"},
              {SUBJECT: "b"}), ("b", "", "b")),
            (({SUBJECT: "RE: a", prefix: "RE: ", normalized: "a"},
              {SUBJECT: "FW: a"}), ("FW: a", "FW: ", "a")),
            (({SUBJECT: "RE: a"}, {normalized: "b"}), ("RE: b", "RE: ", "b")),
            (({SUBJECT: "RE: a"}, {prefix: "AW: "}), ("AW: a", "AW: ", "a")),
            (({prefix: "Antwort: "}, {normalized: "a"}),
             ("Antwort: a", "Antwort: ", "a")),
            # what says the same stays
            (({prefix: "Antwort: "}, {SUBJECT: "Antwort: a"}),
             ("Antwort: a", "Antwort: ", "a")),
            (({SUBJECT: "Antwort: a"}, {normalized: "a"}),
             ("Antwort: a", "Antwort: ", "a")),
            (({SUBJECT: "Antwort: a", prefix: "Antwort: "},),
             ("Antwort: a", "Antwort: ", "a"))):
        message = session.create()
        for values in what:
            check_equal(session.set(message, values), {}, "RopSetProperties")
        mid = session.save(message)
        session.release(message)
        message = session.open_message(mid)
        values, _ = session.get(message, (SUBJECT, prefix, normalized))
        check_equal(tuple(values.values()), expected, repr(what))
        session.release(message)
    session.close()
    clear(server)


def test_streams(server):
    """What has been written is the property's value for the same handle, and is
    saved, whether it has been committed or not: [MS-OXCPRPT] 3.2.5.13."""
    session = Session(server)
    message = session.create()
    check_equal(session.set(message, {SUBJECT: "streams"}), {}, "set")
    text, _ = session.open_stream(message, BODY, savelib.CREATE)
    session.write(text, "begun".encode("utf-16le"))
    check_equal(session.get_one(message, BODY), "begun", "while it's written")
    session.set(message, {BODY: "set"})
    check_equal(session.get_one(message, BODY), "set", "set afterwards")
    session.write(text, ", ended".encode("utf-16le"))
    check_equal(session.read_stream(message, BODY),
                "begun, ended".encode("utf-16le"), "second stream")

    attach, num = session.create_attachment(message)
    session.set(attach, {ATTACH_METHOD: 1, ATTACH_NAME: "a"})
    data, _ = session.open_stream(attach, ATTACH_DATA, savelib.CREATE)
    session.write(data, b"data")
    check_equal(session.get_one(attach, ATTACH_DATA), b"data",
                "while it's written")
    check(ATTACH_DATA in session.get_all(attach), "not listed")
    session.save_attachment(attach, message)
    # not with the attachment any more
    session.write(data, b" that is late")
    mid = session.save(message)
    for handle in (text, data, attach, message):
        session.release(handle)

    message = session.open_message(mid)
    check_equal(session.get_one(message, BODY), "begun, ended", "saved")
    attach = session.open_attachment(message, num)
    check_equal(session.get_one(attach, ATTACH_DATA), b"data", "saved")
    session.close()
    clear(server)


def test_conflict(server):
    one, two = Session(server), Session(server)
    for tag in (BODY, BAG):
        mid = new_message(one, "conflict")
        first, second = one.open_message(mid), two.open_message(mid)
        one.set(first, {tag: "first\r\n"})
        two.set(second, {tag: "second\r\n"})
        # not before it's saved
        check_equal(two.get_one(two.open_message(mid), tag).strip(), "one",
                    "seen by others")
        one.save(first, SAVE_READ_WRITE)
        fails("save", EC_OBJECT_MODIFIED, two.save, second)
        check_equal(two.get_one(second, tag), "second\r\n", "is still there")
        # who was first may go on
        one.set(first, {tag: "first again\r\n"})
        one.save(first, SAVE_READ_WRITE)
        fails("save", EC_OBJECT_MODIFIED, two.save, second)
        check_equal(two.save(second, SAVE_FORCE), mid, "ForceSave")
        check_equal(one.get_one(one.open_message(mid), tag), "second\r\n",
                    "after ForceSave")
        fails("save", EC_OBJECT_MODIFIED, lambda: (
            one.set(first, {tag: "third\r\n"}), one.save(first)))
        # who opens it again may
        first = one.open_message(mid)
        one.set(first, {tag: "fourth\r\n"})
        one.save(first)
    check_equal(len(uids(server)), 2, "mail")
    one.close()
    two.close()


def count_up(server, mid, tag, result):
    """Adds one to the number in a property, several times; result: how often it
    was saved."""
    session = Session(server)
    saved = 0
    for _ in range(15):
        try:
            message = session.open_message(mid, mode=READ_WRITE)
            number = int(session.get_one(message, tag))
            session.set(message, {tag: str(number + 1)})
            session.save(message)
            saved += 1
            session.release(message)
        except Error as exc:
            # Maildir: not there while it's replaced
            if exc.code not in (EC_OBJECT_MODIFIED, EC_NOT_FOUND,
                                EC_OBJECT_DELETED):
                raise
    session.close()
    result.append(saved)


def test_at_once(server):
    """Of sessions that save a message at the same time none undoes what another
    one was told to be saved."""
    session = Session(server)
    for tag in (SUBJECT, BAG):
        clear(server)
        message = session.create()
        session.set(message, {SUBJECT: "0", BAG: "0"})
        mid = session.save(message)
        session.release(message)
        result = []
        threads = [threading.Thread(target=count_up,
                                    args=(server, mid, tag, result))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_equal(len(result), 3, "sessions that have ended well")
        message = session.open_message(mid)
        check_equal(session.get_one(message, tag), str(sum(result)),
                    f"{tag:08x}")
        session.release(message)
        check_equal(len(uids(server)), 1, "messages")
    session.close()
    clear(server)


def test_deleted(server):
    clear(server)
    session = Session(server)
    mid = new_message(session, "deleted")
    content, bag = session.open_message(mid), session.open_message(mid)
    session.set(content, {BODY: "two\r\n"})
    session.set(bag, {BAG: "two"})
    clear(server)
    for handle in (content, bag):
        fails("save", EC_OBJECT_DELETED, session.save, handle)
        fails("ForceSave", EC_OBJECT_DELETED, session.save, handle, SAVE_FORCE)
    check_equal(uids(server), [], "mail")
    session.close()


# --- errors ----------------------------------------------------------------------

def test_errors(server):
    session = Session(server)
    mid = new_message(session, "errors")
    handle = session.open_message(mid)
    check_equal(session.set(handle, {
        SUBJECT: "good", MID: 1, CHANGE_KEY: b"x", ACCESS: 3,
        0x0E1B000B: True, 0x0E08_0003: 1, 0x1000_0003: 1}), {
            tag: EC_COMPUTED for tag in
            (MID, CHANGE_KEY, ACCESS, 0x0E1B000B, 0x0E080003)} | {
                0x10000003: EC_UNEXPECTED_TYPE}, "RopSetProperties")
    check_equal(session.delete(handle, (MID, BODY, 0x6789001F)),
                {MID: EC_COMPUTED}, "RopDeleteProperties")
    session.save(handle, SAVE_READ_ONLY)
    # what could be set was
    check_equal(session.get(handle, (SUBJECT, BODY))[0],
                {SUBJECT: "good", BODY: ""}, "saved")
    fails("set in one that is only read now", EC_NO_ACCESS, session.set,
          handle, {SUBJECT: "x"})
    handle = session.open_message(mid, mode=READ_ONLY)
    fails("set", EC_NO_ACCESS, session.set, handle, {SUBJECT: "x"})
    fails("delete", EC_NO_ACCESS, session.delete, handle, (SUBJECT,))
    fails("stream", EC_NO_ACCESS, session.open_stream, handle, BODY,
          READ_WRITE)
    fails("attachment", EC_NO_ACCESS, session.create_attachment, handle)
    fails("recipients", EC_NO_ACCESS, session.rop, savelib.REMOVE_RECIPIENTS,
          bytes(4), [handle])
    fails("save", EC_NO_ACCESS, session.save, handle)
    handle = session.open_message(mid)
    fails("attachment", EC_NOT_FOUND, session.open_attachment, handle, 0)
    fails("delete attachment", EC_NOT_FOUND, session.rop,
          savelib.DELETE_ATTACHMENT, struct.pack("<I", 7), [handle])
    fails("create", EC_NOT_FOUND, session.create, struct.pack("<Q", 0x123401))
    # it isn't there if nobody saves it
    attach, _ = session.create_attachment(handle)
    session.set(attach, {ATTACH_METHOD: 1, ATTACH_DATA: b"x"})
    session.set(handle, {SUBJECT: "no attachment"})
    session.save(handle, SAVE_READ_WRITE)
    check_equal(session.attachment_nums(session.open_message(mid)), [],
                "attachments")
    # ... but it may still be
    session.save_attachment(attach, handle)
    session.save(handle)
    check_equal(session.attachment_nums(session.open_message(mid)), [0],
                "attachments")
    session.close()


main()
