#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sending mail by a program: what the recipients get, where the message goes, what
is said if it can't be sent."""

import re
import struct
import time

from readlib import check, check_equal, imap_ok, imap_session, main
from submitlib import (
    BCC, BODY, CC, Client, DELETE_AFTER_SUBMIT, EC_ACCESS_DENIED,
    EC_INVALID_PARAM, EC_INVALID_RECIPIENTS, EC_NETWORK_ERROR, EC_NOT_FOUND,
    EC_NOT_IN_QUEUE, EC_NOT_SUPPORTED, EC_NO_RECIPIENTS, EC_OBJECT_DELETED,
    EC_SUBMITTED, INBOX, NONE, OUTBOX, SENT, SENT_MAIL_ENTRY_ID,
    SENT_MAIL_SVR_EID, SUBJECT, TO, TRANSPORT_SEND, UNSENT, addresses,
    by_subject, sendmail, utf16)

CREATE_FOLDER, SEARCH, FINDER = 0x1C, 2, 10
GET_TRANSPORT_FOLDER, ADDRESS_TYPES, SET_SPOOLER = 0x6D, 0x49, 0x47
SPOOLER_LOCK, TRANSPORT_NEW_MAIL, OPTIONS_DATA = 0x48, 0x51, 0x6F
REPRESENTING_SMTP, REPRESENTING_ENTRY_ID = 0x5D02001F, 0x00410102
TRANSPORT_HEADERS = 0x007D001F
DEFERRED_SEND_NUMBER, DEFERRED_SEND_UNITS = 0x3FEB0003, 0x3FEC0003
DEFERRED_SEND_TIME, DEFERRED_DELIVERY_TIME = 0x3FEF0040, 0x000F0040
EXPIRY_NUMBER, EXPIRY_UNITS, EXPIRY_TIME = 0x3FED0003, 0x3FEE0003, 0x00150040
CLIENT_SUBMIT_TIME = 0x00390040


def one_off(address, name, kind="SMTP"):
    return bytes(4) + bytes.fromhex("812b1fa4bea310199d6e00dd010f5402") + \
        struct.pack("<HH", 0, 0x9001) + utf16(name) + utf16(kind) + \
        utf16(address)


def test_submit(server):
    alice, bob = server.users[:2]
    client = Client(server)
    msg = client.create({SUBJECT: "Grüße", BODY: "Hello\r\n.\r\nFrom\r\n",
                         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                        [(TO, bob, "Bob"), (BCC, alice, "Alice")])
    check_equal(len(by_subject(server, "Outbox", "Grüße")), 0,
                "IMAP doesn't see the Outbox")
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    got = by_subject(server, "INBOX", "Grüße", bob)
    check_equal(len(got), 1, "Bob's")
    check_equal(got[0]["Bcc"], None, "Bcc")
    check_equal(addresses(got[0]["From"]), [alice], "From")
    check_equal(got[0]["Sender"], None, "Sender")
    check_equal(addresses(got[0]["To"]), [bob], "To")
    check(got[0]["Message-ID"] and got[0]["Date"], "Message-ID, Date")
    check_equal(got[0]["Return-Path"], f"<{alice}>", "envelope")
    check_equal(got[0].get_content().split(), ["Hello", ".", "From"], "body")
    check_equal(len(by_subject(server, "INBOX", "Grüße")), 1, "blind copy")
    sent = by_subject(server, "Sent", "Grüße")
    check_equal(len(sent), 1, "Sent")
    check_equal(addresses(sent[0]["Bcc"]), [alice], "Bcc in Sent")
    check_equal(sent[0]["Message-ID"], got[0]["Message-ID"], "Message-ID")
    check_equal(client.rows(SENT)["Grüße"][1] & (UNSENT | 5), 1,
                "PidTagMessageFlags")
    check("Grüße" not in client.rows(), "Outbox")
    with imap_session(server) as imap:
        imap_ok(imap.select("Sent", readonly=True))
        flags = imap_ok(imap.fetch("1:*", "(FLAGS)"))[-1]
        check(b"\\Draft" not in flags and b"\\Seen" in flags and
              b"Pending" not in flags, f"flags {flags}")
    # the client didn't see the answer
    check_equal(client.submit(msg), EC_OBJECT_DELETED, "once more")
    check_equal(len(by_subject(server, "INBOX", "Grüße", bob)), 1, "Bob's")
    client.close()


def test_transport_send(server):
    """Not saved before, no copy wanted."""
    bob = server.users[1]
    client = Client(server)
    msg = client.create({SUBJECT: "gone", BODY: "x", DELETE_AFTER_SUBMIT: 1},
                        [(TO, bob, "Bob")], save=False)
    answer = client.ok(struct.pack("<BBB", TRANSPORT_SEND, 0, 0), [msg],
                       "RopTransportSend")
    check_equal(answer.rops[6:9], b"\0\7\0", "number of properties")
    check_equal(struct.unpack_from("<I", answer.rops, 9)[0], 0x0C1A001F,
                "PidTagSenderName")
    check_equal(len(by_subject(server, "INBOX", "gone", bob)), 1, "Bob's")
    check_equal(len(by_subject(server, "Sent", "gone")), 0, "Sent")
    check("gone" not in client.rows(), "Outbox")
    client.close()


def test_stays(server):
    """Neither deleted nor moved: it's sent once nevertheless."""
    bob = server.users[1]
    client = Client(server)
    msg = client.create({SUBJECT: "stays"}, [(TO, bob, "Bob")])
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    mid, flags = client.rows()["stays"]
    check_equal(flags & (UNSENT | 4), 0, "flags")
    check_equal(client.submit(msg), EC_SUBMITTED, "the same object")
    check_equal(client.submit(client.open_message(mid)), EC_SUBMITTED,
                "another one")
    check_equal(client.abort(mid), EC_NOT_IN_QUEUE, "RopAbortSubmit")
    client.close()
    client = Client(server)
    check("stays" in client.rows(), "it's where it was")
    check_equal(len(by_subject(server, "INBOX", "stays", bob)), 1, "Bob's")
    client.close()


def test_sent_folder(server):
    bob = server.users[1]
    client = Client(server)
    check_equal(client.submit(client.create(
        {SUBJECT: "to inbox",
         SENT_MAIL_SVR_EID: b"\1" + client.raw.logon_ids[INBOX] + bytes(12)},
        [(TO, bob, "Bob")])), 0, "RopSubmitMessage")
    check_equal(len(by_subject(server, "INBOX", "to inbox")), 1, "INBOX")
    finder = client.raw.open_folder(client.logon,
                                    client.raw.logon_ids[FINDER])
    search = client.ok(
        struct.pack("<BBBBBBBB", CREATE_FOLDER, 0, 0, 1, SEARCH, 1, 0, 0) +
        utf16("No place") + utf16(""), [finder, NONE],
        "RopCreateFolder").rops[6:14]
    # no folder at all, and none that has messages
    for what, fid in (("nowhere", bytes(8)), ("search", search)):
        check_equal(client.submit(client.create(
            {SUBJECT: what, SENT_MAIL_SVR_EID: b"\1" + fid + bytes(12)},
            [(TO, bob, "Bob")])), 0, "RopSubmitMessage")
        check_equal(len(by_subject(server, "Sent", what)), 1, "Sent")
    client.close()


def test_place_of_all(server):
    """What the store says holds for messages that say nothing."""
    bob = server.users[1]
    client = Client(server)
    delete = {DELETE_AFTER_SUBMIT: 1}
    inbox = {SENT_MAIL_SVR_EID: b"\1" + client.raw.logon_ids[INBOX] +
             bytes(12)}

    def places(subject, props):
        check_equal(client.submit(client.create(
            {SUBJECT: subject, **props}, [(TO, bob, "Bob")])), 0, subject)
        check_equal(len(by_subject(server, "INBOX", subject, bob)), 1, subject)
        return [name for name, found in (
            ("Outbox", subject in client.rows()),
            ("Sent", by_subject(server, "Sent", subject)),
            ("INBOX", by_subject(server, "INBOX", subject))) if found]

    client.set_props(client.logon, inbox)
    check_equal(places("all to inbox", {}), ["INBOX"], "SentMailSvrEID")
    check_equal(places("but one", {SENT_MAIL_ENTRY_ID:
                                   client.sent_entry_id()}), ["Sent"],
                "the message's")
    check_equal(places("but another", delete), [], "the message's")
    client.set_props(client.logon, delete)
    check_equal(places("all away", {}), [], "DeleteAfterSubmit")
    check_equal(places("but this", {DELETE_AFTER_SUBMIT: 0}), ["Outbox"],
                "the message's")
    client.delete_props(client.logon, [DELETE_AFTER_SUBMIT, SENT_MAIL_SVR_EID])
    check_equal(places("as before", {}), ["Outbox"], "deleted")
    client.close()


def test_times(server):
    """Numbers of units go before times."""
    client = Client(server)
    before = time.time()
    msg = client.create({SUBJECT: "expires", EXPIRY_NUMBER: 3, EXPIRY_UNITS: 2,
                         EXPIRY_TIME: before - 1000, DEFERRED_SEND_NUMBER: 0,
                         DEFERRED_SEND_UNITS: 1},
                        [(TO, server.users[1], "Bob")])
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    submitted, expires = (client.prop_time(msg, tag)
                          for tag in (CLIENT_SUBMIT_TIME, EXPIRY_TIME))
    check(before - 1 <= submitted <= time.time() + 1, f"submitted {submitted}")
    check_equal(expires - submitted, 3 * 24 * 3600, "PidTagExpiryTime")
    for props in ({EXPIRY_NUMBER: 1000, EXPIRY_UNITS: 0},
                  {EXPIRY_NUMBER: 1, EXPIRY_UNITS: 4},
                  {EXPIRY_NUMBER: 0xffffffff, EXPIRY_UNITS: 0},
                  {DEFERRED_SEND_NUMBER: 1000, DEFERRED_SEND_UNITS: 0}):
        msg = client.create({SUBJECT: "never", **props},
                            [(TO, server.users[1], "Bob")])
        check_equal(client.submit(msg), EC_INVALID_PARAM, f"{props}")
    client.close()


def test_recipients(server):
    """All the ways to say an address"""
    alice, bob, carol = server.users[:3]
    client = Client(server)
    dn = f"/o=Devserver/ou=Exchange Administrative Group " \
        f"(FYDIBOHF23SPDLT)/cn=Recipients/cn={alice}"
    ex = struct.pack("<HBB", 0x211, 0, 0) + dn.encode() + b"\0" + \
        utf16("Alice") + struct.pack("<HB", 0, 0)
    by_entry_id = struct.pack("<H", 0x210) + utf16("Bob") + \
        struct.pack("<HB", 1, 0) + \
        struct.pack("<H", len(one_off(bob, "Bob"))) + one_off(bob, "Bob")
    unresolved = struct.pack("<H", 0x8218) + b"NONE\0" + utf16(carol) + \
        utf16("Carol") + struct.pack("<HB", 0, 0)
    entry_id = struct.pack("<I", 0x0FFF0102)
    msg = client.ok(struct.pack("<BBBBH", 0x06, 0, 0, 1, 0x0fff) +
                    client.raw.logon_ids[OUTBOX] + b"\0",
                    [client.logon, 0xffffffff], "RopCreateMessage").handles[1]
    client.set_props(msg, {SUBJECT: "ways", DELETE_AFTER_SUBMIT: 1})
    rows = b""
    for i, row in enumerate((ex, by_entry_id, unresolved)):
        rows += struct.pack("<IBH", i, TO, len(row)) + row
    client.ok(struct.pack("<BBBH", 0x0E, 0, 0, 1) + entry_id +
              struct.pack("<H", 3) + rows, [msg], "RopModifyRecipients")
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    for user in (alice, bob, carol):
        got = by_subject(server, "INBOX", "ways", user)
        check_equal(len(got), 1, user)
        check_equal(sorted(addresses(got[0]["To"])), [alice, bob, carol], "To")
    client.close()


def test_resend(server):
    """Who has it already, doesn't get it again, but is still in the header."""
    alice, bob, carol = server.users[:3]
    client = Client(server)
    check_equal(client.submit(client.create(
        {SUBJECT: "again", DELETE_AFTER_SUBMIT: 1},
        [(TO | 0x80, bob, "Bob"), (CC | 0x10, carol, "Carol"),
         (0x10, alice, "Alice")])), 0, "RopSubmitMessage")
    check_equal(by_subject(server, "INBOX", "again", bob), [], "Bob's")
    got = by_subject(server, "INBOX", "again", carol)
    check_equal(len(got), 1, "Carol's")
    check_equal((addresses(got[0]["To"]), addresses(got[0]["Cc"])),
                ([bob], [carol]), "To, Cc")
    check_equal(len(by_subject(server, "INBOX", "again", alice)), 1, "Alice's")
    check_equal(client.submit(client.create(
        {SUBJECT: "again"}, [(TO | 0x80, bob, "Bob")])), EC_NO_RECIPIENTS,
                "nobody")
    client.close()


def test_refused(server):
    alice, bob = server.users[:2]
    client = Client(server)
    ex = struct.pack("<HBB", 0x211, 0, 0) + b"/o=Nobody\0" + utf16("x") + \
        struct.pack("<HB", 0, 0)
    fax = struct.pack("<H", 0x21C) + utf16("+49 1") + utf16("x") + \
        struct.pack("<HB", 0, 0)
    for what, props, recipients, error in (
            ("no recipients", {}, [], EC_NO_RECIPIENTS),
            ("no address", {}, [(TO, "not an address", "x")],
             EC_INVALID_RECIPIENTS),
            ("a newline", {}, [(TO, "a@b.example\n", "x")],
             EC_INVALID_RECIPIENTS),
            ("unknown DN", {}, [(TO, bob, "x"), (TO, ex)],
             EC_INVALID_RECIPIENTS),
            ("fax", {}, [(TO, bob, "x"), (TO, fax)], EC_INVALID_RECIPIENTS),
            ("another one's name", {REPRESENTING_SMTP: bob},
             [(TO, bob, "x")], EC_ACCESS_DENIED),
            ("another one's entry id",
             {REPRESENTING_ENTRY_ID: one_off(bob, "Bob")}, [(TO, bob, "x")],
             EC_ACCESS_DENIED),
            ("for sendmail: later",
             {DEFERRED_SEND_NUMBER: 3, DEFERRED_SEND_UNITS: 0},
             [(TO, bob, "x")], EC_NOT_SUPPORTED),
            ("at a time", {DEFERRED_SEND_TIME: time.time() + 1000},
             [(TO, bob, "x")], EC_NOT_SUPPORTED),
            ("at another time", {DEFERRED_DELIVERY_TIME: time.time() + 1000},
             [(TO, bob, "x")], EC_NOT_SUPPORTED)):
        msg = client.create({SUBJECT: what, **props}, recipients)
        check_equal(client.submit(msg), error, what)
        check_equal(client.rows()[what][1] & (UNSENT | 4), UNSENT,
                    "unsent: " + what)
        check_equal(by_subject(server, "INBOX", what, bob), [], "Bob's")
    # the time is over
    check_equal(client.submit(client.create(
        {SUBJECT: "past", DEFERRED_SEND_TIME: time.time() - 1000},
        [(TO, bob, "x")])), 0, "the past")
    # Only the header says that it's somebody else's
    check_equal(client.submit(client.create(
        {SUBJECT: "header", REPRESENTING_SMTP: alice, TRANSPORT_HEADERS:
         f"From: {alice}, {bob}\r\nSender: {bob}\r\nReceived: x\r\n\r\n"},
        [(TO, bob, "x")])), 0, "header")
    got = by_subject(server, "INBOX", "header", bob)[0]
    check_equal((addresses(got["From"]), got["Sender"]), ([alice], None),
                "From, Sender")
    client.close()


def test_program_fails(server):
    """The message stays, and can be sent later."""
    bob = server.users[1]
    client = Client(server)
    msg = client.create({SUBJECT: "later",
                         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                        [(TO, bob, "Bob")])
    for script, error in ((None, EC_NETWORK_ERROR),
                          ("#!/bin/sh\nexit 75\n", EC_NETWORK_ERROR),
                          ("#!/bin/sh\nexit 67\n", EC_INVALID_RECIPIENTS),
                          ("#!/bin/sh\nexit 77\n", EC_ACCESS_DENIED)):
        with sendmail(server, script):
            check_equal(client.submit(msg), error, str(script))
    check_equal(by_subject(server, "INBOX", "later", bob), [], "Bob's")
    check_equal(by_subject(server, "Sent", "later"), [], "Sent")
    check_equal(client.rows()["later"][1] & (UNSENT | 4), UNSENT, "flags")
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal(len(by_subject(server, "INBOX", "later", bob)), 1, "Bob's")
    check_equal(len(by_subject(server, "Sent", "later")), 1, "Sent")
    client.close()


def test_spooler(server):
    """What clients ask that could send themselves"""
    client = Client(server)
    answer = client.ok(struct.pack("<BBB", GET_TRANSPORT_FOLDER, 0, 0),
                       [client.logon], "RopGetTransportFolder")
    check_equal(answer.rops[6:14], client.raw.logon_ids[OUTBOX], "FolderId")
    # it doesn't matter on which object
    for handle in (client.logon, client.create({}, [], save=False)):
        answer = client.ok(struct.pack("<BBB", ADDRESS_TYPES, 0, 0),
                           [handle], "RopGetAddressTypes")
        check_equal(answer.rops[6:], struct.pack("<HH", 2, 8) +
                    b"EX\0SMTP\0", "types")
    client.ok(struct.pack("<BBB", SET_SPOOLER, 0, 0), [client.logon],
              "RopSetSpooler")
    client.create({SUBJECT: "mine"}, [])
    mid = client.rows()["mine"][0]
    check_equal(client.one(struct.pack("<BBB", SPOOLER_LOCK, 0, 0) + mid +
                           b"\0", [client.logon]).return_value(),
                EC_NOT_IN_QUEUE, "RopSpoolerLockMessage")
    for number, error in ((mid, 0), (mid[:7] + b"\x77", EC_NOT_FOUND)):
        check_equal(client.one(
            struct.pack("<BBB", TRANSPORT_NEW_MAIL, 0, 0) + number +
            client.raw.logon_ids[OUTBOX] + b"IPM.Note\0" + bytes(4),
            [client.logon]).return_value(), error, "RopTransportNewMail")
    for kind, error in ((b"SMTP", 0), (b"FAX", EC_NOT_FOUND)):
        answer = client.one(struct.pack("<BBB", OPTIONS_DATA, 0, 0) + kind +
                            b"\0\1", [client.logon])
        check_equal(answer.return_value(), error, "RopOptionsData")
        check(error != 0 or answer.rops[6:] == b"\1\0\0\0\0",
              f"options {answer.rops.hex()}")
    check_equal(client.abort(mid), EC_NOT_IN_QUEUE, "not submitted")
    check_equal(client.abort(mid[:7] + b"\x77"), EC_NOT_FOUND, "no message")
    client.close()


def test_large(server):
    """More than a pipe or a request has room for"""
    bob = server.users[1]
    client = Client(server)
    body = "".join(f"Line {i} of many\r\n" for i in range(20000))
    msg = client.create({SUBJECT: "large", DELETE_AFTER_SUBMIT: 1},
                        [(TO, bob, "Bob")], save=False)
    client.set_stream(msg, BODY, body.encode("utf-16-le"))
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    got = by_subject(server, "INBOX", "large", bob)[0].get_content()
    check_equal(len(re.findall(r"Line \d+ of many", got)), 20000, "lines")
    client.close()


if __name__ == "__main__":
    main()
