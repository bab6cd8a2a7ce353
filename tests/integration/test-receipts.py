#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# may-log: killed with signal 9
"""Read receipts: who gets one, once, and what is in it."""

import struct
import threading
from email import message_from_bytes, policy

from readlib import check, check_equal, imap_session, kill_workers, main, wait_for
from submitlib import addresses, smtp_server
from writelib import Client, HARD_DELETE, mail, state

SUPPRESS, CLEAR, RECEIPT_ONLY, CLEAR_NOTIFY = 0x01, 0x05, 0x10, 0x20
EC_NETWORK_ERROR = 0x80040115
SENDER = "sender@example.net"


def deliver(server, subject, sender=SENDER, headers=(), receipt=True):
    msg = message_from_bytes(mail(subject, receipt), policy=policy.default)
    for name, value in headers:
        del msg[name]
        if value is not None:
            msg[name] = value
    server.lmtp(msg.as_bytes(), sender=sender)


class Inbox(Client):
    def __init__(self, server):
        super().__init__(server)
        self.server = server
        self.contents = self.table(self.inbox)

    def last(self):
        return self.mids(self.contents)[-1]

    def flags(self):
        flags = state(self.server, "INBOX")
        return flags[max(flags)] if flags else None


def check_report(mail_, subject, disposition, mode, orig):
    check_equal((mail_.sender, mail_.rcpts), ("", [SENDER]), "envelope")
    msg = mail_.message
    check_equal(msg["Subject"], subject, "Subject")
    check_equal(addresses(msg["To"]), [SENDER], "To")
    check_equal(addresses(msg["From"]), ["alice@example.org"], "From")
    check_equal(msg["Auto-Submitted"], "auto-replied", "Auto-Submitted")
    check_equal(msg["In-Reply-To"], orig, "In-Reply-To")
    check_equal(msg.get_content_type(), "multipart/report", "Content-Type")
    check_equal(msg.get_param("report-type"), "disposition-notification",
                "report-type")
    text, report = list(msg.iter_parts())[:2]
    check("message" in text.get_content(), "text")
    check_equal(report.get_content_type(),
                "message/disposition-notification", "second part")
    fields = report.get_payload()
    fields = fields[0] if isinstance(fields, list) else \
        message_from_bytes(report.get_payload(decode=True))
    check_equal(fields["Final-Recipient"], "rfc822; alice@example.org",
                "Final-Recipient")
    check_equal(fields["Original-Message-ID"], orig, "Original-Message-ID")
    check_equal(fields["Disposition"], f"{mode}; {disposition}", "Disposition")


def test_read(server):
    smtp = smtp_server(server)
    deliver(server, "greetings", headers=[("Subject", "Grüße")])
    client = Inbox(server)
    mid = client.last()
    check_equal(client.rows(client.contents)[-1][2] & 0x101, 0x100,
                "mfNotifyRead")
    check_equal(client.set_read([mid]), (0, 0), "RopSetReadFlags")
    check_equal(len(smtp.mails), 1, "mails")
    check_report(smtp.mails[0], "Read: Grüße", "displayed",
                 "manual-action/MDN-sent-automatically",
                 "<greetings@example.net>")
    check_equal(client.flags(), {"\\Seen", "$MDNSent"}, "flags")
    # never again
    for flags in (CLEAR, 0, RECEIPT_ONLY, 0):
        check_equal(client.set_read([mid], flags), (0, 0), f"flags {flags}")
    check_equal(len(smtp.mails), 1, "mails")
    client.close()


def test_open_message(server):
    smtp = smtp_server(server)
    deliver(server, "open")
    client = Inbox(server)
    error, msg = client.open_message(client.raw.logon_ids[4], client.last())
    check_equal(error, 0, "RopOpenMessage")
    answer = client.raw.execute(struct.pack("<BBBBB", 0x11, 0, 1, 0, 0),
                                [msg, client.inbox])
    check_equal(answer.return_value(), 0, "RopSetMessageReadFlag")
    check_equal(smtp.subjects(), ["Read: open"], "mails")
    client.close()


def test_asked(server):
    """Only the receipt, and what happens if it can't be sent"""
    smtp = smtp_server(server)
    deliver(server, "asked")
    client = Inbox(server)
    mid = client.last()
    smtp.replies = {"MAIL": "451 4.3.0 later"}
    check_equal(client.set_read([mid], RECEIPT_ONLY), (0, 1), "not now")
    check_equal(client.flags(), set(), "flags")
    error, msg = client.open_message(client.raw.logon_ids[4], mid)
    answer = client.raw.execute(
        struct.pack("<BBBBB", 0x11, 0, 1, 0, RECEIPT_ONLY),
        [msg, client.inbox])
    check_equal((error, answer.return_value()), (0, EC_NETWORK_ERROR),
                "RopSetMessageReadFlag")
    smtp.replies = {}
    check_equal(client.set_read([mid], RECEIPT_ONLY), (0, 0), "now")
    check_equal(len(smtp.mails), 1, "mails")
    check_report(smtp.mails[0], "Read: asked", "displayed",
                 "manual-action/MDN-sent-manually", "<asked@example.net>")
    check_equal(client.flags(), {"$MDNSent"}, "flags")
    client.close()


def test_not_wanted(server):
    """Messages that don't get one, at any rate not by themselves"""
    smtp = smtp_server(server)
    client = Inbox(server)
    to = "Disposition-Notification-To"
    for what, asked, kwargs in (
            ("no request", False, {"receipt": False}),
            ("no sender", False, {"sender": ""}),
            ("another one", True, {"sender": "other@example.net"}),
            ("two", True, {"headers": [(to, f"{SENDER}, b@example.net")]}),
            ("me", False, {"headers": [(to, "alice@example.org")],
                           "sender": "alice@example.org"}),
            ("nobody", False, {"headers": [(to, "x")]}),
            ("options", False, {"headers": [
                ("Disposition-Notification-Options", "a=required,b")]}),
            ("report", False, {"headers": [
                ("Content-Type", "multipart/report; boundary=x")]})):
        smtp.mails = []
        deliver(server, what, **kwargs)
        mid = client.last()
        check_equal(client.set_read([mid]), (0, 0), what)
        check_equal(smtp.mails, [], f"{what}: mails")
        check_equal(client.flags(), {"\\Seen"}, f"{what}: flags")
        client.set_read([mid], RECEIPT_ONLY)
        check_equal(len(smtp.mails), asked, f"{what}: asked for")
    smtp.mails = []
    deliver(server, "suppressed")
    check_equal(client.set_read([client.last()], SUPPRESS), (0, 0), "flags")
    deliver(server, "cancelled")
    check_equal(client.set_read([client.last()], CLEAR_NOTIFY), (0, 0), "flags")
    check_equal(client.set_read([client.last()]), (0, 0), "read")
    check_equal(smtp.mails, [], "mails")
    client.close()


def test_deleted(server):
    smtp = smtp_server(server)
    client = Inbox(server)
    for subject, rop in (("deleted", 0x1E), ("hard", HARD_DELETE)):
        smtp.mails = []
        deliver(server, subject)
        deliver(server, "read " + subject)
        mids = client.mids(client.contents)[-2:]
        client.set_read(mids[1:], SUPPRESS)
        check_equal(client.delete(mids, rop=rop), (0, 0), "delete")
        check_equal(len(smtp.mails), 1, "mails")
        check_report(smtp.mails[0], "Not read: " + subject, "deleted",
                     "manual-action/MDN-sent-automatically",
                     f"<{subject}@example.net>")
    smtp.mails = []
    deliver(server, "quietly")
    check_equal(client.on_mids(0x1E, client.inbox, b"\0\0", [client.last()]),
                (0, 0), "NotifyNonRead is 0")
    check_equal(smtp.mails, [], "mails")
    client.close()


def test_two_sessions(server):
    """Both at once: one receipt"""
    smtp = smtp_server(server)
    for i in range(5):
        deliver(server, f"both {i}")
    clients = [Inbox(server), Inbox(server)]
    mids = clients[0].mids(clients[0].contents)[-5:]
    barrier = threading.Barrier(2)

    def read(client):
        for mid in mids:
            barrier.wait(60)
            client.set_read([mid])

    threads = [threading.Thread(target=read, args=(c,)) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    check_equal(sorted(smtp.subjects()), [f"Read: both {i}" for i in range(5)],
                "mails")
    for client in clients:
        client.close()


def test_killed(server):
    """While it's sent: nobody sends it again."""
    smtp = smtp_server(server)
    deliver(server, "killed")
    client = Inbox(server)
    mid = client.last()
    smtp.arrived = lambda _: kill_workers(server)
    try:
        client.set_read([mid])
    except Exception:  # pylint: disable=broad-except
        pass
    else:
        check(False, "the worker is alive")
    client.close()
    smtp.arrived = lambda _: None
    wait_for("the mail", lambda: smtp.mails)
    client = Inbox(server)
    check_equal(client.flags(), {"\\Seen", "$MDNSent"}, "flags")
    client.set_read([mid], CLEAR)
    client.set_read([mid])
    check_equal(len(smtp.mails), 1, "mails")
    client.close()


def test_many(server):
    """One request sends a hundred; the others can be asked for."""
    smtp = smtp_server(server)
    with imap_session(server) as imap:
        for i in range(110):
            imap.append("INBOX", None, None,
                        f"Return-Path: <{SENDER}>\r\n".encode() +
                        mail(f"many {i}", True).replace(b"\n", b"\r\n"))
    client = Inbox(server)
    mids = client.mids(client.contents)[-110:]
    check_equal(client.set_read(mids), (0, 0), "RopSetReadFlags")
    check_equal(len(smtp.mails), 100, "mails")
    check_equal(client.set_read(mids, RECEIPT_ONLY), (0, 0), "the others")
    check_equal(len(set(smtp.subjects())), 110, "mails")
    check_equal(len(smtp.mails), 110, "mails")
    client.close()


if __name__ == "__main__":
    main()
