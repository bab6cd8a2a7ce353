# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of sending share: a MAPI client that writes mail, a mail server
that takes it or doesn't, and what has become of it."""

import contextlib
import email
import email.policy
import http.client
import os
import re
import socket
import ssl
import struct
import threading

import rawmapi
import readlib
from rawmapi import RawMapi
from readlib import check_equal, imap_ok, imap_quote, imap_session

CREATE_MESSAGE, SAVE_CHANGES, SET_PROPS, MODIFY_RECIPIENTS = 0x06, 0x0C, 0x0A, 0x0E
DELETE_PROPS = 0x0B
SUBMIT, ABORT_SUBMIT, TRANSPORT_SEND = 0x32, 0x34, 0x4A
SUBJECT, BODY, MESSAGE_FLAGS = 0x0037001F, 0x1000001F, 0x0E070003
SUBMIT_FLAGS, MID = 0x0E140003, 0x674A0014
SENT_MAIL_ENTRY_ID, SENT_MAIL_SVR_EID = 0x0E0A0102, 0x674000FB
DELETE_AFTER_SUBMIT = 0x0E01000B
INBOX, OUTBOX, SENT = 4, 5, 6
TO, CC, BCC = 1, 2, 3
READ, UNMODIFIED, SUBMITTED, UNSENT = 1, 2, 4, 8
EC_NO_RECIPIENTS, EC_INVALID_RECIPIENTS = 0x80040607, 0x467
EC_ACCESS_DENIED, EC_NOT_SUPPORTED = 0x80070005, 0x80040102
EC_NOT_IN_QUEUE, EC_NETWORK_ERROR = 0x80040601, 0x80040115
EC_SUBMITTED, EC_UNABLE_TO_ABORT = 0x80040608, 0x80040114
EC_OBJECT_DELETED, EC_NOT_FOUND = 0x8004010A, 0x8004010F
EC_MAX_SUBMISSION_EXCEEDED, EC_TOO_MANY_RECIPS = 0x4DA, 0x505
EC_ERROR, EC_INVALID_PARAM = 0x80004005, 0x80070057
NONE = 0xffffffff


def utf16(text):
    return text.encode("utf-16-le") + b"\0\0"


def value(tag, val):
    kind = tag & 0xffff
    if kind == 0x1F:
        data = utf16(val)
    elif kind in (0x102, 0xFB):
        data = struct.pack("<H", len(val)) + val
    elif kind == 0x0B:
        data = bytes([val])
    elif kind == 0x40:
        # a Unix time
        data = struct.pack("<Q", int((val + 11644473600) * 10000000))
    else:
        data = struct.pack("<I", val)
    return struct.pack("<I", tag) + data


def smtp_row(address, name):
    """A RecipientRow"""
    return struct.pack("<H", 0x21B) + utf16(address) + utf16(name) + \
        struct.pack("<HB", 0, 0)


class Client:
    def __init__(self, server, user=None):
        self.raw = RawMapi(server, user, timeout=120)
        self.logon = self.raw.start()

    def close(self):
        self.raw.close()

    def one(self, rops, handles):
        answer = self.raw.execute(rops, handles)
        check_equal(answer.code, 0, "X-ResponseCode")
        return answer

    def ok(self, rops, handles, what):
        answer = self.one(rops, handles)
        check_equal(answer.return_value(), 0, what)
        return answer

    def set_props(self, msg, props):
        values = b"".join(value(tag, val) for tag, val in props.items())
        self.ok(struct.pack("<BBBHH", SET_PROPS, 0, 0, len(values) + 2,
                            len(props)) + values, [msg], "RopSetProperties")

    def save(self, msg):
        """Returns its id."""
        answer = self.ok(struct.pack("<BBBBB", SAVE_CHANGES, 0, 1, 0, 0x0A),
                         [msg, msg], "RopSaveChangesMessage")
        return answer.rops[7:15]

    def create(self, props, recipients, folder=OUTBOX, save=True):
        """The handle of a new message. recipients: (type, address, name), or
        (type, row)"""
        msg = self.ok(struct.pack("<BBBBH", CREATE_MESSAGE, 0, 0, 1, 0x0fff) +
                      self.raw.logon_ids[folder] + b"\0",
                      [self.logon, NONE], "RopCreateMessage").handles[1]
        self.set_props(msg, props)
        rows = b""
        for i, (kind, *row) in enumerate(recipients):
            row = row[0] if len(row) == 1 else smtp_row(*row)
            rows += struct.pack("<IBH", i, kind, len(row)) + row
        self.ok(struct.pack("<BBBHH", MODIFY_RECIPIENTS, 0, 0, 0,
                            len(recipients)) + rows, [msg],
                "RopModifyRecipients")
        if save:
            self.save(msg)
        return msg

    def set_stream(self, msg, tag, data):
        """For what is too large for set_props"""
        stream = self.ok(struct.pack("<BBBBIB", 0x2B, 0, 0, 1, tag, 2),
                         [msg, NONE], "RopOpenStream").handles[1]
        for pos in range(0, len(data), 16000):
            part = data[pos:pos + 16000]
            self.ok(struct.pack("<BBBH", 0x2D, 0, 0, len(part)) + part,
                    [stream], "RopWriteStream")
        self.ok(struct.pack("<BBB", 0x5D, 0, 0), [stream], "RopCommitStream")

    def submit(self, msg):
        return self.one(struct.pack("<BBBB", SUBMIT, 0, 0, 0),
                        [msg]).return_value()

    def abort(self, mid, folder=OUTBOX):
        return self.one(struct.pack("<BBB", ABORT_SUBMIT, 0, 0) +
                        self.raw.logon_ids[folder] + mid,
                        [self.logon]).return_value()

    def open_message(self, mid, folder=OUTBOX):
        """... to write to it"""
        return self.ok(struct.pack(
            "<BBBBH", rawmapi.ROP_OPEN_MESSAGE, 0, 0, 1, 0x0fff) +
            self.raw.logon_ids[folder] + b"\1" + mid,
            [self.logon, NONE], "RopOpenMessage").handles[1]

    def prop_u32(self, obj, tag):
        """None if there's no such property"""
        answer = self.ok(struct.pack("<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0,
                                     0, 1, 1, tag), [obj],
                         "RopGetPropertiesSpecific")
        if answer.rops[6] != 0 and answer.rops[7] == 0x0A:
            return None
        return struct.unpack_from("<I", answer.rops,
                                  7 if answer.rops[6] == 0 else 8)[0]

    def prop_time(self, obj, tag):
        """A Unix time"""
        answer = self.ok(struct.pack("<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0,
                                     0, 1, 1, tag), [obj],
                         "RopGetPropertiesSpecific")
        check_equal(answer.rops[6], 0, f"property {tag:#x}")
        return struct.unpack_from("<Q", answer.rops, 7)[0] / 10000000 - \
            11644473600

    def delete_props(self, obj, tags):
        self.ok(struct.pack(f"<BBBH{len(tags)}I", DELETE_PROPS, 0, 0,
                            len(tags), *tags), [obj], "RopDeleteProperties")

    def sent_entry_id(self):
        answer = self.ok(struct.pack("<BBBHHHI", rawmapi.ROP_GET_PROPS, 0, 0,
                                     0, 1, 1, 0x35E40102), [self.logon],
                         "PidTagIpmSentMailEntryId")
        size = struct.unpack_from("<H", answer.rops, 7)[0]
        return answer.rops[9:9 + size]

    def rows(self, folder=OUTBOX):
        """{subject: (mid, message flags)} of a folder"""
        handle = self.raw.open_folder(self.logon, self.raw.logon_ids[folder])
        table = self.raw.contents_table(handle)
        answer = self.ok(struct.pack(
            "<BBBBHIII", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 3, MID,
            MESSAGE_FLAGS, SUBJECT), [table], "RopSetColumns")
        answer = self.ok(struct.pack(
            "<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0, 1, 1000), [table],
            "RopQueryRows")
        rows, pos = {}, 9
        for _ in range(struct.unpack_from("<H", answer.rops, 7)[0]):
            check_equal(answer.rops[pos], 0, "row flag")
            flags = struct.unpack_from("<I", answer.rops, pos + 9)[0]
            mid, pos = answer.rops[pos + 1:pos + 9], pos + 13
            end = pos
            while answer.rops[end:end + 2] != b"\0\0":
                end += 2
            rows[answer.rops[pos:end].decode("utf-16-le")] = mid, flags
            pos = end + 2
        return rows


# --- mailboxes ----------------------------------------------------------------

def messages(server, mailbox, user=None):
    with imap_session(server, user) as imap:
        status, _ = imap.select(imap_quote(mailbox), readonly=True)
        if status != "OK" or not imap_ok(imap.search(None, "ALL"))[0]:
            return []
        return [email.message_from_bytes(part[1], policy=email.policy.default)
                for part in imap_ok(imap.fetch("1:*", "(BODY.PEEK[])"))
                if isinstance(part, tuple)]


def by_subject(server, mailbox, subject, user=None):
    return [m for m in messages(server, mailbox, user)
            if m["Subject"] == subject]


def addresses(field):
    return [] if field is None else [a.addr_spec for a in field.addresses]


# --- the mail server ------------------------------------------------------------

class Mail:
    def __init__(self, tls):
        self.tls = tls
        self.sender, self.rcpts, self.data = None, [], None
        self.params, self.rcpt_params = "", []

    @property
    def message(self):
        return email.message_from_bytes(self.data,
                                        policy=email.policy.default)


class SmtpServer:
    """Takes all mail, but for what replies say: a command's word or, for RCPT, an
    address, and what is answered to it instead; DATA and "." are the command and
    what comes after the message. None closes the connection."""

    def __init__(self):
        self.port = 0
        self.socket = None
        self.reset()

    def reset(self):
        """As in the beginning"""
        self.extensions = []
        # (certificate, key), with STARTTLS among the extensions
        self.certificate = None
        self.replies = {}
        self.mails = []
        # called with the mail when all of it has arrived, before the answer
        self.arrived = lambda mail: None
        if self.socket is None:
            self.socket = socket.create_server(("127.0.0.1", self.port))
            self.port = self.socket.getsockname()[1]
            threading.Thread(target=self.accept, args=(self.socket,),
                             daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def close(self):
        """Connections are refused."""
        # accept() doesn't return by close() alone
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.socket = None

    def serve(self, conn):
        with conn, contextlib.suppress(OSError):
            with conn.makefile("rwb") as stream:
                self.answer(stream, "220 test")
                if not self.commands(stream, False):
                    return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            with context.wrap_socket(conn, server_side=True) as tls, \
                    tls.makefile("rwb") as stream:
                self.commands(stream, True)

    def commands(self, stream, tls):
        """Returns True if TLS is to begin."""
        mail = Mail(tls)
        for line in stream:
            line = line.decode().rstrip("\r\n")
            word = line.split(" ")[0].upper()
            if not self.command(stream, mail, word, line):
                return False
            if word == "STARTTLS":
                return True
            if word in ("DATA", "RSET"):
                mail = Mail(tls)
        return False

    def command(self, stream, mail, word, line):
        address = re.search(r"<(.*?)>", line)
        if word == "EHLO":
            lines = ["test", "PIPELINING", "ENHANCEDSTATUSCODES"] + \
                self.extensions
            for item in lines[:-1]:
                stream.write(f"250-{item}\r\n".encode())
            return self.answer(stream, "250 " + lines[-1])
        if word == "QUIT":
            return self.answer(stream, "221 2.0.0 bye")
        key = address[1] if word == "RCPT" else word
        if key in self.replies:
            return self.answer(stream, self.replies[key])
        if word == "MAIL":
            mail.sender, mail.params = address[1], line.partition("> ")[2]
        elif word == "RCPT":
            mail.rcpts.append(address[1])
            mail.rcpt_params.append(line.partition(">")[2].strip())
        elif word == "DATA":
            self.answer(stream, "354 go on")
            lines = []
            for data in stream:
                if data == b".\r\n":
                    break
                lines.append(data[1:] if data.startswith(b".") else data)
            else:
                return False
            mail.data = b"".join(lines)
            self.arrived(mail)
            if "." in self.replies:
                return self.answer(stream, self.replies["."])
            self.mails.append(mail)
        return self.answer(stream, "250 2.0.0 ok")

    @staticmethod
    def answer(stream, text):
        if text is None:
            return False
        stream.write(text.encode() + b"\r\n")
        stream.flush()
        return True

    def subjects(self):
        return [mail.message["Subject"] for mail in self.mails]


def smtp_server(server, *settings, certificate=None):
    """A mail server that is the submission_host of all sessions from now on. The
    settings are those of a program's first call. certificate: it has STARTTLS"""
    smtp = getattr(server, "smtp", None)
    if smtp is not None:
        smtp.reset()
        return smtp
    smtp = server.smtp = SmtpServer()
    if certificate is not None:
        smtp.certificate, smtp.extensions = certificate, ["STARTTLS"]
    with open(os.path.join(server.dir, "dovecot.conf"), "a",
              encoding="utf-8") as f:
        for line in (f"submission_host = 127.0.0.1:{smtp.port}", *settings):
            f.write(line + "\n")
    server.doveadm("reload")

    def is_used():
        # until it is, the program sends it
        try:
            client = Client(server)
        except (OSError, ValueError, http.client.HTTPException):
            return False
        client.submit(client.create({SUBJECT: "Does it work?",
                                     DELETE_AFTER_SUBMIT: 1},
                                    [(TO, server.users[2], "x")]))
        client.close()
        return smtp.mails

    readlib.wait_for("the mail server's use", is_used, 60)
    smtp.reset()
    return smtp


@contextlib.contextmanager
def sendmail(server, script):
    """Another sendmail for a while"""
    path = os.path.join(server.dir, "bin", "sendmail")
    os.rename(path, path + ".away")
    try:
        if script is not None:
            with open(path, "w", encoding="utf-8") as f:
                f.write(script)
            os.chmod(path, 0o755)
        yield
    finally:
        os.rename(path + ".away", path)


