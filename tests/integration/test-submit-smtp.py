#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sending mail by a mail server: errors as the client is to see them, reports of
recipients that are refused, mail that the server keeps until it's to be sent, and
other people's names."""

import struct
import time

import savelib
from readlib import check, check_equal, imap_session, main
from submitlib import (
    BCC, BODY, Client, DELETE_AFTER_SUBMIT, EC_ACCESS_DENIED, EC_ERROR,
    EC_INVALID_PARAM, EC_INVALID_RECIPIENTS, EC_MAX_SUBMISSION_EXCEEDED,
    EC_NETWORK_ERROR, EC_NOT_SUPPORTED, EC_SUBMITTED, EC_TOO_MANY_RECIPS,
    NONE, READ, SENT_MAIL_ENTRY_ID, SUBJECT, SUBMITTED, TO, UNSENT, addresses,
    by_subject, messages, smtp_server)

DEFERRED_SEND_NUMBER, DEFERRED_SEND_UNITS = 0x3FEB0003, 0x3FEC0003
DEFERRED_SEND_TIME, DEFERRED_DELIVERY_TIME = 0x3FEF0040, 0x000F0040
REPRESENTING_SMTP, REPRESENTING_NAME = 0x5D02001F, 0x0042001F
DELIVERY_REPORT = 0x0023000B
ATTACH_METHOD, ATTACH_DATA = 0x37050003, 0x37010102
ORIGINAL_SUBJECT, NDR_STATUS = 0x0049001F, 0x0C200003
REPRESENTING_TYPE, REPRESENTING_EMAIL = 0x0064001F, 0x0065001F
ONE, TWO = "one@example.net", "two@example.net"


def mail_server(server, *extensions):
    smtp = smtp_server(server, "mapi_send_as = info@example.org "
                       "@sales.example both@example.org",
                       "mapi_send_on_behalf = boss@example.org "
                       "both@example.org")
    smtp.extensions = list(extensions)
    return smtp


def test_sent(server):
    smtp = mail_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "sent",
                         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                        [(TO, ONE, "1"), (BCC, TWO, "2"), (BCC, ONE, "1")])
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal(len(smtp.mails), 1, "mails")
    mail = smtp.mails[0]
    check_equal((mail.sender, mail.rcpts),
                (server.users[0], [ONE, TWO]), "envelope")
    check_equal(mail.message["Bcc"], None, "Bcc")
    sent = by_subject(server, "Sent", "sent")
    check_equal(len(sent), 1, "Sent")
    check_equal(sent[0]["Message-ID"], mail.message["Message-ID"],
                "Message-ID")
    client.close()


def test_large_attachment(server):
    """What is sent has been saved before."""
    smtp = mail_server(server)
    client = Client(server)
    data = bytes(range(256)) * 1000
    msg = client.create({SUBJECT: "attached"}, [(TO, ONE, "1")], save=False)
    attachment = client.ok(struct.pack("<BBBB", 0x23, 0, 0, 1), [msg, NONE],
                           "RopCreateAttachment").handles[1]
    client.set_props(attachment, {ATTACH_METHOD: 1})
    client.set_stream(attachment, ATTACH_DATA, data)
    client.ok(struct.pack("<BBBBB", 0x25, 0, 0, 1, 0x0A), [msg, attachment],
              "RopSaveChangesAttachment")
    client.save(msg)
    client.close()
    client = Client(server)
    msg = client.open_message(client.rows()["attached"][0])
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal([part.get_payload(decode=True) for part in
                 smtp.mails[0].message.iter_attachments()], [data],
                "attachments")
    check("attached" in client.rows(), "it's where it was")
    client.close()


def check_refused(client, smtp, what, replies, error):
    """... and that it can be sent afterwards"""
    msg = client.create({SUBJECT: what, DELETE_AFTER_SUBMIT: 1},
                        [(TO, ONE, "1"), (TO, TWO, "2")])
    smtp.replies = replies
    check_equal(client.submit(msg), error, what)
    check_equal(client.rows()[what][1] & (SUBMITTED | UNSENT), UNSENT,
                "flags: " + what)
    check(what not in smtp.subjects(), "somebody has got it: " + what)
    smtp.replies = {}
    check_equal(client.submit(msg), 0, "afterwards: " + what)
    check_equal(smtp.subjects().count(what), 1, "mails: " + what)
    check(what not in client.rows(), "it's still there: " + what)


def test_refused(server):
    smtp = mail_server(server)
    client = Client(server)
    for what, replies, error in (
            ("both recipients", {ONE: "550 5.1.1 no", TWO: "550 5.1.1 no"},
             EC_INVALID_RECIPIENTS),
            ("not now", {TWO: "450 4.2.1 later"}, EC_NETWORK_ERROR),
            ("one of them not now", {ONE: "550 5.1.1 no",
                                     TWO: "450 4.2.1 later"},
             EC_NETWORK_ERROR),
            ("no data for the other one", {ONE: "550 5.1.1 no",
                                           "DATA": "451 4.3.0 later"},
             EC_NETWORK_ERROR),
            ("spam for the other one", {ONE: "550 5.1.1 no",
                                        ".": "554 5.7.1 spam"}, EC_ERROR),
            ("too many", {TWO: "452 4.5.3 too many"}, EC_TOO_MANY_RECIPS),
            ("sender", {"MAIL": "553 5.7.1 not you"}, EC_ACCESS_DENIED),
            ("sender too large", {"MAIL": "552 5.3.4 large"},
             EC_MAX_SUBMISSION_EXCEEDED),
            ("no data", {"DATA": "451 4.3.0 later"}, EC_NETWORK_ERROR),
            ("large", {".": "552 5.3.4 large"},
             EC_MAX_SUBMISSION_EXCEEDED),
            ("spam", {".": "554 5.7.1 spam"}, EC_ERROR),
            ("full", {".": "452 4.3.1 full"}, EC_NETWORK_ERROR),
            ("closed", {TWO: None}, EC_NETWORK_ERROR)):
        check_refused(client, smtp, what, replies, error)
    client.close()
    check_equal([m for m in messages(server, "INBOX") if
                 m.get_content_type() == "multipart/report"], [], "reports")


def check_report(server, message, subject, refused):
    """The report in the sender's INBOX. refused: (address, status, reply)"""
    sender = server.users[0]
    found = by_subject(server, "INBOX", "Undeliverable: " + subject)
    check_equal(len(found), 1, "reports")
    report = found[0]
    check_equal(list(report.defects), [], "defects")
    check_equal(report.get_content_type(), "multipart/report", "type")
    check_equal(report.get_param("report-type"), "delivery-status", "type")
    check_equal(addresses(report["To"]), [sender], "To")
    check(report["From"].addresses[0].username == "MAILER-DAEMON", "From")
    check_equal(report["Auto-Submitted"], "auto-replied", "Auto-Submitted")
    check_equal(report["In-Reply-To"], message["Message-ID"], "In-Reply-To")
    text, status, original = report.get_payload()
    for address, _, reply in refused:
        check(address in text.get_content() and reply in text.get_content(),
              "text: " + text.get_content())
    check_equal(status.get_content_type(), "message/delivery-status", "type")
    fields = status.get_payload()
    check(fields[0]["Reporting-MTA"].startswith("dns; "), "Reporting-MTA")
    check_equal([(part["Final-Recipient"], part["Action"], part["Status"],
                  part["Remote-MTA"], part["Diagnostic-Code"])
                 for part in fields[1:]],
                [(f"rfc822; {address}", "failed", code, "dns; 127.0.0.1",
                  f"smtp; {reply}") for address, code, reply in refused],
                "recipients")
    original = original.get_payload()[0]
    for name in ("Subject", "Message-ID", "From", "To", "Bcc"):
        check_equal(original[name], message[name], "original: " + name)
    check_equal(original.get_content(), message.get_content(), "original")


def status_code(code):
    """PidTagNonDeliveryReportStatusCode, [MS-OXCMAIL] 2.2.3.7.1.3"""
    return int("".join(part if len(part) == 1 else "0"
                       for part in code.split(".")))


def check_mapi_report(server, subject, refused):
    """... as a MAPI client sees it"""
    session = savelib.Session(server)
    rows = [row for row in session.contents(
        session.inbox_id, (savelib.MID, SUBJECT, savelib.CLASS,
                           savelib.MESSAGE_FLAGS))
        if row[SUBJECT] == "Undeliverable: " + subject]
    check_equal([row[savelib.CLASS] for row in rows],
                ["REPORT.IPM.Note.NDR"], "PidTagMessageClass")
    check_equal(rows[0][savelib.MESSAGE_FLAGS] & (UNSENT | READ), 0, "flags")
    message = session.open_message(rows[0][savelib.MID])
    check_equal(session.get_one(message, ORIGINAL_SUBJECT), subject,
                "PidTagOriginalSubject")
    check_equal([(row[3], row[-1].get(NDR_STATUS))
                 for row in session.recipients(message, rows[0][savelib.MID])],
                [(address, status_code(code))
                 for address, code, _ in refused], "recipients")
    check_equal(len(session.attachment_nums(message)), 1, "original")
    session.close()


def test_report(server):
    """Some recipients are refused."""
    smtp = mail_server(server)
    client = Client(server)
    refused = [(TWO, "5.7.26", "550 5.7.26 no such user"),
               ("three@example.net", "5.0.0", "554 no")]
    msg = client.create({SUBJECT: "report it", BODY: "Hello\r\n",
                         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                        [(TO, ONE, "1"), (TO, TWO, "Twö"),
                         (BCC, "three@example.net", "3")])
    smtp.replies = {address: reply for address, _, reply in refused}
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal([mail.rcpts for mail in smtp.mails], [[ONE]], "mails")
    check("report it" not in client.rows(), "it's still in the Outbox")
    check_equal(len(by_subject(server, "Sent", "report it")), 1, "Sent")
    server.wait_logged("the mail", r"msgid=<\w+@example.org>: Sent to 1 recipients")
    check_report(server, smtp.mails[0].message, "report it", refused)
    check_mapi_report(server, "report it", refused)
    client.close()


def test_report_on_behalf(server):
    """It's for who has sent it."""
    smtp = mail_server(server)
    client = Client(server)
    smtp.replies = {TWO: "550 5.1.1 no"}
    msg = client.create({SUBJECT: "for the boss",
                         REPRESENTING_SMTP: "boss@example.org",
                         DELETE_AFTER_SUBMIT: 1},
                        [(TO, ONE, "1"), (TO, TWO, "2")])
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_report(server, smtp.mails[0].message, "for the boss",
                 [(TWO, "5.1.1", "550 5.1.1 no")])
    client.close()


def test_log(server):
    """Who was refused"""
    smtp = mail_server(server)
    client = Client(server)
    smtp.replies = {ONE: "550 5.1.1 first", TWO: "551 5.1.6 second"}
    check_equal(client.submit(client.create(
        {SUBJECT: "log"}, [(TO, ONE, "1"), (TO, TWO, "2")])),
                EC_INVALID_RECIPIENTS, "RopSubmitMessage")
    for line in (r"msgid=<\w+@example.org>: Not sent: 127.0.0.1:\d+: "
                 rf"RCPT TO <{ONE}> failed: 550 5.1.1 first",
                 rf"RCPT TO <{TWO}> failed: 551 5.1.6 second"):
        server.wait_logged("the refusal", line)
    client.close()


def test_size(server):
    smtp = mail_server(server, "SIZE 100")
    client = Client(server)
    msg = client.create({SUBJECT: "size"}, [(TO, ONE, "1")])
    check_equal(client.submit(msg), EC_MAX_SUBMISSION_EXCEEDED, "SIZE")
    check_equal(smtp.mails, [], "mails")
    client.close()


def test_delivery_report(server):
    for extensions, params in (((), ["", ""]),
                               (["DSN"], ["NOTIFY=SUCCESS,FAILURE,DELAY"] * 2)):
        smtp = mail_server(server, *extensions)
        client = Client(server)
        check_equal(client.submit(client.create(
            {SUBJECT: "report", DELIVERY_REPORT: 1, DELETE_AFTER_SUBMIT: 1},
            [(TO, ONE, "1"), (TO, TWO, "2")])), 0, "RopSubmitMessage")
        check_equal(smtp.mails[-1].rcpt_params, params, "RCPT")
        check_equal("RET=HDRS" in smtp.mails[-1].params, bool(extensions),
                    "MAIL")
        check_equal(client.submit(client.create(
            {SUBJECT: "none", DELETE_AFTER_SUBMIT: 1}, [(TO, ONE, "1")])), 0,
                    "RopSubmitMessage")
        check_equal(smtp.mails[-1].rcpt_params, [""], "RCPT without a wish")
        client.close()


def test_down(server):
    smtp = mail_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "down"}, [(TO, ONE, "1")])
    smtp.close()
    check_equal(client.submit(msg), EC_NETWORK_ERROR, "no server")
    check_equal(client.rows()["down"][1] & (SUBMITTED | UNSENT), UNSENT,
                "flags")
    client.close()


def test_answer_missing(server):
    """Nobody knows whether the mail server has it."""
    smtp = mail_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "unknown", DELETE_AFTER_SUBMIT: 1},
                        [(TO, ONE, "1")])
    smtp.replies = {".": None}
    check_equal(client.submit(msg), EC_NETWORK_ERROR, "no answer")
    smtp.replies = {}
    mid, flags = client.rows()["unknown"]
    check_equal(flags & (SUBMITTED | UNSENT), SUBMITTED | UNSENT, "flags")
    check_equal(client.submit(msg), EC_SUBMITTED, "not a second time")
    check_equal(client.abort(mid), 0, "RopAbortSubmit")
    check_equal(client.rows()["unknown"][1] & (SUBMITTED | UNSENT), UNSENT,
                "flags")
    check_equal(client.submit(client.open_message(mid)), 0, "afterwards")
    check_equal(smtp.subjects(), ["unknown"], "mails")
    client.close()


def test_later(server):
    smtp = mail_server(
        server, "FUTURERELEASE 864000 2040-01-01T00:00:00Z")
    client = Client(server)
    for what, props, secs in (
            ("minutes", {DEFERRED_SEND_NUMBER: 3, DEFERRED_SEND_UNITS: 0,
                         DEFERRED_SEND_TIME: 5}, 180),
            ("days", {DEFERRED_SEND_NUMBER: 2, DEFERRED_SEND_UNITS: 2},
             172800),
            ("time", {DEFERRED_SEND_TIME: time.time() + 5000}, 5000),
            ("delivery", {DEFERRED_DELIVERY_TIME: time.time() + 5000},
             5000)):
        msg = client.create({SUBJECT: what, **props,
                             SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
                            [(TO, ONE, "1")])
        start = time.time()
        check_equal(client.submit(msg), 0, what)
        params = dict(p.split("=") for p in
                      smtp.mails[-1].params.split() if "=" in p)
        hold = int(params["HOLDFOR"])
        check(secs - (time.time() - start) - 60 <= hold <= secs,
              f"HOLDFOR={hold}")
        check_equal(len(by_subject(server, "Sent", what)), 1, "Sent")
    check_equal(client.submit(client.create(
        {SUBJECT: "never", DEFERRED_SEND_NUMBER: 3,
         DEFERRED_SEND_UNITS: 4}, [(TO, ONE, "1")])), EC_INVALID_PARAM,
                "units")
    smtp.replies = {"MAIL": "501 5.5.4 too long"}
    check_equal(client.submit(client.create(
        {SUBJECT: "never", DEFERRED_SEND_NUMBER: 99,
         DEFERRED_SEND_UNITS: 3}, [(TO, ONE, "1")])), EC_NOT_SUPPORTED,
                "too long")
    client.close()
    smtp = mail_server(server)
    client = Client(server)
    msg = client.create({SUBJECT: "can't",
                         DEFERRED_SEND_TIME: time.time() + 5000},
                        [(TO, ONE, "1")])
    check_equal(client.submit(msg), EC_NOT_SUPPORTED, "later")
    check_equal(smtp.mails, [], "mails")
    check_equal(client.rows()["can't"][1] & (SUBMITTED | UNSENT), UNSENT,
                "flags")
    client.close()


def test_other_names(server):
    alice = server.users[0]
    smtp = mail_server(server)
    client = Client(server)
    for address, envelope, sender in (
            ("info@example.org", "info@example.org", []),
            ("any@SALES.example", "any@SALES.example", []),
            ("both@example.org", "both@example.org", []),
            ("boss@example.org", alice, [alice]),
            (alice.upper(), alice.upper(), [])):
        for props in ({REPRESENTING_SMTP: address},
                      {REPRESENTING_TYPE: "SMTP",
                       REPRESENTING_EMAIL: address}):
            check_equal(client.submit(client.create(
                {SUBJECT: address, REPRESENTING_NAME: "Somebody Ä",
                 DELETE_AFTER_SUBMIT: 1, **props}, [(TO, ONE, "1")])), 0,
                        address)
            mail = smtp.mails[-1]
            check_equal(mail.sender, envelope, "envelope")
            field = mail.message["From"].addresses
            check_equal([(a.display_name, a.addr_spec) for a in field],
                        [("Somebody Ä", address)], "From")
            check_equal(addresses(mail.message["Sender"]), sender,
                        "Sender")
    for address in ("info@example.org.example", "boss", "xboss@example.org",
                    "a@notsales.example", server.users[1]):
        check_equal(client.submit(client.create(
            {SUBJECT: address, REPRESENTING_SMTP: address},
            [(TO, ONE, "1")])), EC_ACCESS_DENIED, address)
    client.close()


if __name__ == "__main__":
    main()
