#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: delegates.conf
"""Sending from another user's mailbox: the mail is the owner's, and it's told who
has sent it unless that one may send as the owner."""

import struct
import time

import savelib
from deferredlib import DEFERRED_DELIVERY_TIME, queue_setting
from delegatelib import Session, create_folder
from permlib import (
    ADD, EDITOR, EC_ACCESS_DENIED, FULL_OWNER, REVIEWER, Client)
from readlib import check, check_equal, main
from savelib import BODY, MID, SUBJECT
from submitlib import (
    EC_INVALID_RECIPIENTS, EC_NOT_IN_QUEUE, EC_NOT_SUPPORTED, MESSAGE_FLAGS, OUTBOX, SENT, SENT_MAIL_ENTRY_ID, SUBMIT,
    SUBMITTED, UNSENT, addresses, by_subject, messages, smtp_server)

REPRESENTING_SMTP = 0x5D02001F
REPRESENTING_NAME, REPRESENTING_EMAIL = 0x0042001F, 0x0065001F
SENDER_NAME, SENDER_SMTP = 0x0C1A001F, 0x5D01001F
ABORT_SUBMIT = 0x34
# ResponseFlags of RopLogon
RESERVED, OWNER, SEND_AS = 1, 2, 4


def mail_server(server):
    """Everybody may send on behalf of alice and as carol, nobody for bob."""
    return smtp_server(server, queue_setting(server),
                       f"mapi_send_on_behalf = {server.users[0]}",
                       f"mapi_send_as = {server.users[2]}")


def give(server, owner, which, member, rights):
    """Rights in a special folder"""
    client = Client(server, owner)
    fid = client.raw.logon_ids[which]
    folder = client.open_fid(fid)[1]
    check_equal(client.modify(folder, (ADD, member, rights)), 0, "rights")
    client.close()
    return fid


def write(session, fid, subject, values=None):
    message = session.create(fid)
    check_equal(session.set(message, {SUBJECT: subject, BODY: "x",
                                      **(values or {})}), {}, "set")
    session.modify_recipients(message, (), [
        (0, 1, "x", "x@example.net", {})])
    session.save(message)
    return message


def submit(session, message):
    return session.errors(session.rop, SUBMIT, b"\0", [message])


def flags(session, fid, subject):
    return [row[MESSAGE_FLAGS] & (SUBMITTED | UNSENT) for row in
            session.contents(fid, (MID, SUBJECT, MESSAGE_FLAGS))
            if row[SUBJECT] == subject]


def sent_entry_id(session):
    return session.get_one(session.folder(session.raw.logon_ids[SENT]),
                           savelib.ENTRY_ID)


def test_on_behalf(server):
    alice, bob, _ = server.users
    smtp = mail_server(server)
    outbox = give(server, alice, OUTBOX, bob, EDITOR)
    give(server, alice, SENT, bob, EDITOR)
    own = Session(server, bob)
    others = own.other(alice)
    check_equal(others.raw.response_flags, RESERVED, "ResponseFlags")
    sent = {SENT_MAIL_ENTRY_ID: sent_entry_id(others)}
    for what, values in (("nobody", {}),
                         ("alice", {REPRESENTING_SMTP: alice})):
        message = write(others, outbox, "from " + what, {**values, **sent})
        check_equal(submit(others, message), 0, "RopSubmitMessage")
        mail = smtp.mails[-1]
        check_equal(mail.sender, bob, "envelope")
        check_equal(addresses(mail.message["From"]), [alice], "From")
        check_equal(addresses(mail.message["Sender"]), [bob], "Sender")
        found = by_subject(server, "Sent", "from " + what)
        check_equal([addresses(found[0]["From"]),
                     addresses(found[0]["Sender"])], [[alice], [bob]],
                    "the owner's copy")
        check_equal(flags(others, outbox, "from " + what), [], "Outbox")
    rows = others.contents(others.raw.logon_ids[SENT], (
        SUBJECT, SENDER_SMTP, REPRESENTING_SMTP, SENDER_NAME,
        REPRESENTING_NAME))
    for row in rows:
        check_equal((row[SENDER_SMTP], row[SENDER_NAME],
                     row[REPRESENTING_SMTP]), (bob, "bob", alice),
                    row[SUBJECT])
        if row[SUBJECT] == "from nobody":
            check_equal(row[REPRESENTING_NAME], "alice", "name")
    # as himself, from there
    message = write(others, outbox, "himself", {REPRESENTING_SMTP: bob,
                                                **sent})
    check_equal(submit(others, message), 0, "as himself")
    mail = smtp.mails[-1]
    check_equal((mail.sender, addresses(mail.message["From"]),
                 mail.message["Sender"]), (bob, [bob], None), "as himself")
    check_equal(len(smtp.mails), 3, "mails")
    own.close()


def test_later(server):
    """Nobody could say later whether he still may."""
    alice, bob, _ = server.users
    smtp = mail_server(server)
    outbox = give(server, alice, OUTBOX, bob, EDITOR)
    own = Session(server, bob)
    others = own.other(alice)
    message = write(others, outbox, "later", {
        DEFERRED_DELIVERY_TIME: int((time.time() + 5000 + 11644473600) * 1e7)})
    check_equal(submit(others, message), EC_NOT_SUPPORTED, "RopSubmitMessage")
    check_equal(flags(others, outbox, "later"), [UNSENT], "flags")
    check_equal(smtp.mails, [], "mails")
    own.close()


def test_send_as(server):
    _, bob, carol = server.users
    smtp = mail_server(server)
    outbox = give(server, carol, OUTBOX, bob, EDITOR)
    own = Session(server, bob)
    check_equal(own.raw.response_flags, RESERVED | OWNER | SEND_AS, "own")
    others = own.other(carol)
    check_equal(others.raw.response_flags, RESERVED | SEND_AS, "others")
    for what, values in (("nobody as", {}),
                         ("carol as", {REPRESENTING_SMTP: carol})):
        message = write(others, outbox, what, values)
        check_equal(submit(others, message), 0, "RopSubmitMessage")
        mail = smtp.mails[-1]
        check_equal((mail.sender, addresses(mail.message["From"]),
                     mail.message["Sender"]), (carol, [carol], None), what)
        # no place has been named where the copy goes
        check_equal(flags(others, outbox, what), [0], what)
    # nobody gets what somebody is refused
    smtp.replies = {"y@example.net": "550 5.1.1 no"}
    count = len(smtp.mails)
    message = write(others, outbox, "refused")
    others.modify_recipients(message, (), [
        (1, 1, "y", "y@example.net", {})])
    check_equal(submit(others, message), EC_INVALID_RECIPIENTS, "refused")
    check_equal(len(smtp.mails), count, "mails")
    check_equal(flags(others, outbox, "refused"), [UNSENT], "it stays")
    own.close()


def test_without_right(server):
    """Without a right to send for him it makes no difference what she may do in his
    folders, nor that he may send mail."""
    alice, bob, _ = server.users
    smtp = mail_server(server)
    outbox = give(server, bob, OUTBOX, alice, FULL_OWNER)
    own = Session(server, alice)
    others = own.other(bob)
    for values in ({}, {REPRESENTING_SMTP: bob},
                   {REPRESENTING_NAME: "bob", REPRESENTING_EMAIL: bob,
                    0x0064001F: "SMTP"}):
        message = write(others, outbox, "without", values)
        check_equal(submit(others, message), EC_ACCESS_DENIED,
                    f"RopSubmitMessage {values}")
    check_equal(smtp.mails, [], "mails")
    check_equal(flags(others, outbox, "without"), [UNSENT] * 3, "they stay")
    mid = others.contents(outbox, (MID, SUBJECT))[0][MID]
    check_equal(others.errors(others.rop, ABORT_SUBMIT, outbox + struct.pack(
        "<Q", mid), [others.logon]), EC_NOT_IN_QUEUE, "RopAbortSubmit")
    own.close()


def test_read_only(server):
    """A message that he may only read isn't sent."""
    alice, bob, _ = server.users
    smtp = mail_server(server)
    owner = Session(server)
    subtree = owner.folder(owner.raw.logon_ids[3])
    create_folder(owner, subtree, "To send")
    fid = owner.folder_id("To send")
    message = write(owner, fid, "draft")
    owner.close()
    client = Client(server)
    check_equal(client.modify(client.folder("To send"),
                              (ADD, bob, REVIEWER)), 0, "rights")
    client.close()
    own = Session(server, bob)
    others = own.other(alice)
    mid = others.contents(fid, (MID, SUBJECT))[0][MID]
    message = others.open_message(mid, fid)
    check_equal(submit(others, message), EC_ACCESS_DENIED, "RopSubmitMessage")
    check_equal(smtp.mails, [], "mails")
    check_equal(len(messages(server, "To send")), 1, "it stays")
    check(others.raw.session.alive(own.logon), "the session goes on")
    own.close()


main()
