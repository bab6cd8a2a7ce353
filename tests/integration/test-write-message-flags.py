#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Replied, forwarded, flagged, categories and junk, saved by a MAPI client, are
what IMAP clients see, and the other way round; in open messages and in tables;
also when both change the same message."""

import struct

import readlib
from readlib import check, check_equal, imap_ok, imap_session, main
from savelib import (
    BODY, CHANGE_NUMBER, FLAG_STATUS, ICON_INDEX, LAST_VERB, MID,
    PS_PUBLIC_STRINGS, SPAM_LEVEL, SUBJECT, Session)
from writelib import append_many, mail, state

FOLLOWUP_ICON, VERB_TIME = 0x10950003, 0x10820040
FLAG_COMPLETE, FLAGGED, REPLIED, FORWARDED = 1, 2, 261, 262


class Client(Session):
    def __init__(self, server):
        super().__init__(server)
        self.keywords = self.ids(
            [(PS_PUBLIC_STRINGS, "Keywords")])[0] << 16 | 0x101F
        self.tags = (FLAG_STATUS, FOLLOWUP_ICON, ICON_INDEX, LAST_VERB,
                     SPAM_LEVEL, self.keywords)

    def find(self, subject):
        for row in self.contents(self.inbox_id, (MID, SUBJECT)):
            if row.get(SUBJECT) == subject:
                return row[MID]
        raise readlib.TestFailure(f"no message {subject}")

    def look(self, mid):
        """What the message and its row say, which must be the same"""
        message = self.open_message(mid)
        values = self.get(message, self.tags)[0]
        self.release(message)
        rows = [row for row in self.contents(
            self.inbox_id, (MID, CHANGE_NUMBER) + self.tags)
            if row.pop(MID) == mid]
        check_equal(len(rows), 1, "rows")
        # replica id and GLOBCNT, of which the latter grows
        self.number = struct.pack("<q", rows[0].pop(CHANGE_NUMBER))[2:]
        check_equal(rows[0], values, "row beside the message")
        values.pop(ICON_INDEX if values.get(ICON_INDEX) == -1 else None, None)
        return values

    def change(self, mid, values, deleted=()):
        message = self.open_message(mid)
        if values:
            check_equal(self.set(message, values), {}, "RopSetProperties")
        if deleted:
            check_equal(self.delete(message, deleted), {},
                        "RopDeleteProperties")
        check_equal(self.save(message), mid, "MessageId")
        self.release(message)


def store(server, uid, what, flags):
    with imap_session(server) as imap:
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.uid("STORE", str(uid), what, f"({flags})"))


def only(server):
    """UID and flags of the only message"""
    messages = list(state(server, "INBOX").items())
    check_equal(len(messages), 1, "messages")
    return messages[0]


def test_received(server):
    append_many(server, "INBOX", [mail("received")])
    client = Client(server)
    mid = client.find("received")
    check_equal(client.look(mid), {}, "before")
    number = client.number
    client.change(mid, {FLAG_STATUS: FLAGGED, FOLLOWUP_ICON: 3,
                        LAST_VERB: 103, ICON_INDEX: REPLIED,
                        client.keywords: ["Red Category", "Work", "plain"],
                        SPAM_LEVEL: 9})
    check_equal(only(server), (1, {
        "\\Flagged", "\\Answered", "$Junk", "$Cat:Red_Category", "$label2",
        "plain"}), "over IMAP")
    check_equal(client.look(mid), {
        FLAG_STATUS: FLAGGED, FOLLOWUP_ICON: 3, LAST_VERB: 103,
        ICON_INDEX: REPLIED, SPAM_LEVEL: 9,
        client.keywords: ["Red Category", "Work", "plain"]}, "as saved")
    check(client.number > number, "change number")
    number = client.number

    store(server, 1, "-FLAGS", "\\Flagged $label2 $Junk")
    store(server, 1, "+FLAGS", "$Forwarded new $NotJunk")
    check_equal(client.look(mid), {
        LAST_VERB: 103, ICON_INDEX: REPLIED, SPAM_LEVEL: -1,
        client.keywords: ["Red Category", "plain", "new"]}, "after IMAP")
    check(client.number > number, "change number")
    client.close()


def test_both(server):
    """A message that is open while IMAP changes it"""
    client = Client(server)
    mid = client.find("received")
    message = client.open_message(mid)
    store(server, 1, "FLAGS", "\\Flagged imap")
    check_equal(client.set(message, {LAST_VERB: 104, VERB_TIME: 1 << 56}), {},
                "RopSetProperties")
    client.save(message)
    check_equal(only(server), (1, {"\\Flagged", "$Forwarded", "imap"}),
                "over IMAP")
    check_equal(client.look(mid), {
        FLAG_STATUS: FLAGGED, FOLLOWUP_ICON: 6, LAST_VERB: 104,
        ICON_INDEX: FORWARDED, client.keywords: ["imap"]}, "over MAPI")
    # its content, too: another message for IMAP, with the same flags
    check_equal(client.set(message, {BODY: "other\r\n",
                                     FLAG_STATUS: FLAG_COMPLETE}), {},
                "RopSetProperties")
    store(server, 1, "+FLAGS", "more \\Seen")
    client.save(message)
    check_equal(only(server), (2, {"\\Seen", "$Forwarded", "imap", "more"}),
                "over IMAP")
    check_equal(client.look(mid), {
        FLAG_STATUS: FLAG_COMPLETE, LAST_VERB: 104, ICON_INDEX: FORWARDED,
        client.keywords: ["imap", "more"]}, "over MAPI")
    store(server, 2, "+FLAGS", "\\Flagged")
    check_equal(client.look(mid)[FLAG_STATUS], FLAGGED, "flagged over IMAP")
    client.change(mid, {}, (FLAG_STATUS, LAST_VERB, client.keywords))
    check_equal(only(server), (2, {"\\Seen"}), "over IMAP")
    check_equal(client.look(mid), {}, "over MAPI")
    client.close()


def test_new(server):
    client = Client(server)
    message = client.create()
    check_equal(client.set(message, {
        SUBJECT: "new", BODY: "x", FLAG_STATUS: FLAGGED, FOLLOWUP_ICON: 2,
        client.keywords: ["Caf\u00e9"], SPAM_LEVEL: -1}), {},
        "RopSetProperties")
    mid = client.save(message)
    check_equal(state(server, "INBOX")[3], {
        "\\Seen", "\\Draft", "\\Flagged", "$NotJunk", "$Cat:Caf&ADUQ-"},
        "over IMAP")
    check_equal(client.look(mid), {
        FLAG_STATUS: FLAGGED, FOLLOWUP_ICON: 2, SPAM_LEVEL: -1,
        client.keywords: ["Caf\u00e9"]}, "over MAPI")
    client.close()


main()
