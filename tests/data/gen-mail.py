#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes mail for demos, tests and benchmarks.

The same options give the same messages, byte for byte. There are threads of
several people, newsletters in HTML, reports with attachments, invitations,
messages forwarded in messages, bounces, and the character sets and transfer
encodings that mail comes in.

  gen-mail.py --count 200 --seed 1 --out DIR     one file per message
  gen-mail.py --count 200 --stream               an mbox on standard output

Files are named by number and have the modification time of the message's
Date. With --small they are as short as possible, for benchmarks of many."""

import argparse
import base64
import datetime
import email.header
import email.message
import email.policy
import email.utils
import io
import os
import random
import struct
import sys
import zipfile
import zlib

PEOPLE = [
    ("Ada Marsh", "ada.marsh"), ("Ben Okafor", "ben.okafor"),
    ("Chloé Lefèvre", "chloe.lefevre"), ("Dmitri Sokolov", "d.sokolov"),
    ("Эмилия Иванова", "e.ivanova"), ("Françoise Müller", "f.mueller"),
    ("田中 花子", "hanako.tanaka"), ("王 小明", "xm.wang"),
    ("Zoë O'Connell", "zoe"), ("Jürgen Groß", "juergen.gross"),
    ("Łukasz Żak", "lukasz.zak"), ("Μαρία Παππά", "maria.pappa"),
    ("김 민수", "minsu.kim"), ("Søren Ågård", "soren"),
    ("Nguyễn Văn An", "an.nguyen"), ("Sales, EMEA", "sales-emea"),
]
TOPICS = [
    "Quarterly figures", "Office move on Friday", "Draft of the contract",
    "Printer on the second floor", "Lunch?", "Travel expenses March",
    "Minutes of Tuesday's meeting", "New building plans", "Server maintenance",
    "Candidates for the position", "Budget 2025", "Holiday calendar",
    "Rückfragen zum Angebot", "Réunion du comité", "Отчёт за квартал",
    "来週の会議について", "关于合同的修改", "회의 일정 변경",
    "Προσφορά υλικών", "Zaproszenie na szkolenie", "Reserva de hotel €120",
]
TEXTS = {
    "en": "Please have a look at the attached draft and tell me what you "
          "think before Thursday. I have changed the second paragraph as we "
          "discussed, and moved the table to the appendix.\n"
          "The numbers for February are still missing; Ben promised them for "
          "tomorrow.\nThe room is booked from nine to eleven.",
    "de": "Anbei die überarbeiteten Unterlagen. Bitte prüfen Sie die Größen "
          "in Tabelle 3, dort fehlen noch zwei Maße.\n"
          "Für Rückfragen stehe ich gerne zur Verfügung.",
    "fr": "Veuillez trouver ci-joint le compte rendu de la réunion. Les "
          "délais ont été prolongés jusqu'à la mi-février.\nÀ bientôt !",
    "ru": "Добрый день! Отправляю отчёт за прошлый квартал. Если будут "
          "вопросы, звоните после обеда.\nС уважением",
    "ja": "お世話になっております。来週の会議の資料をお送りします。\n"
          "ご確認のほど、よろしくお願いいたします。",
    "zh": "您好,附件是修改后的合同草案,请在周四之前确认。\n谢谢!",
    "ko": "안녕하세요. 다음 주 회의 일정이 변경되었습니다.\n감사합니다.",
    "el": "Σας στέλνω την προσφορά που ζητήσατε. Περιμένω νέα σας.",
    "pl": "W załączeniu przesyłam zaproszenie. Proszę o potwierdzenie "
          "udziału do piątku.\nŻyczę miłego dnia",
}
# charsets that a language's mail comes in
CHARSETS = {
    "en": ["us-ascii", "utf-8", "iso-8859-1"],
    "de": ["iso-8859-1", "iso-8859-15", "windows-1252", "utf-8"],
    "fr": ["iso-8859-1", "windows-1252", "utf-8"],
    "ru": ["koi8-r", "windows-1251", "utf-8"],
    "ja": ["iso-2022-jp", "shift_jis", "euc-jp", "utf-8"],
    "zh": ["gb2312", "gb18030", "utf-8"],
    "ko": ["euc-kr", "utf-8"],
    "el": ["iso-8859-7", "utf-8"],
    "pl": ["iso-8859-2", "windows-1250", "utf-8"],
}
POLICY = email.policy.SMTP.clone(max_line_length=76)
START = datetime.datetime(2023, 1, 2, 7, 30, tzinfo=datetime.timezone.utc)


# --- files --------------------------------------------------------------------

def png(rng, width=32, height=32):
    """A real PNG: a gradient in some colour."""
    colour = [rng.randrange(256) for _ in range(3)]
    rows = b"".join(
        b"\0" + bytes((c * (x + y)) // (width + height)
                      for x in range(width) for c in colour)
        for y in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height,
                                       8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def pdf(text):
    """A real PDF of one page."""
    text = text.encode("ascii", "replace").decode()
    for char in "\\()":
        text = text.replace(char, "\\" + char)
    stream = "BT /F1 18 Tf 72 720 Td (%s) Tj ET" % text
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
        "/Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        "<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, obj in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, obj.encode())
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += (b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" %
            (len(objects) + 1, xref))
    return out


def docx(text):
    """A small word processor document."""
    text = (text.replace("&", "&amp;").replace("<", "&lt;"))
    files = {
        "[Content_Types].xml":
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxml'
            'formats.org/package/2006/content-types"><Default Extension='
            '"rels" ContentType="application/vnd.openxmlformats-package.'
            'relationships+xml"/><Override PartName="/word/document.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.'
            'wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels":
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.'
            'openxmlformats.org/package/2006/relationships"><Relationship '
            'Id="rId1" Type="http://schemas.openxmlformats.org/'
            'officeDocument/2006/relationships/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        "word/document.xml":
            '<?xml version="1.0"?><w:document xmlns:w="http://schemas.'
            'openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>'
            '<w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>' % text,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2023, 1, 2, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


# --- messages -----------------------------------------------------------------

class Thread:
    def __init__(self, topic, people):
        self.topic = topic
        self.people = people
        self.ids = []
        self.index = None


class Maker:
    def __init__(self, args):
        self.rng = random.Random(args.seed)
        # the boundaries of email.generator
        random.seed(args.seed)
        self.args = args
        self.number = 0
        self.date = START
        self.threads = []
        self.kinds = [
            (self.reply, 40), (self.plain, 12), (self.newsletter, 14),
            (self.report, 14), (self.forward, 6), (self.invitation, 4),
            (self.inline_image, 6), (self.bounce, 2), (self.list_post, 2),
        ]

    def person(self):
        return self.rng.choice(PEOPLE)

    def address(self, person, display=True):
        local = "%s@%s" % (person[1], self.args.people_domain)
        return email.utils.formataddr((person[0], local)) if display else local

    def recipient(self):
        if self.args.to:
            return self.rng.choice(self.args.to)
        return "user%d@%s" % (self.rng.randrange(3) + 1, self.args.domain)

    def message_id(self):
        return "<%d.%08x@%s>" % (self.number, self.rng.getrandbits(32),
                                 self.args.people_domain)

    def envelope(self, subject, sender=None, others=0):
        msg = email.message.EmailMessage(policy=POLICY)
        sender = sender or self.person()
        msg["Received"] = (
            "from mx.%s (mx.%s [192.0.2.%d]) by mail.%s with ESMTPS id "
            "%08x; %s" % (
                self.args.people_domain, self.args.people_domain,
                self.rng.randrange(1, 250), self.args.domain,
                self.rng.getrandbits(32),
                email.utils.format_datetime(self.date)))
        msg["From"] = self.address(sender)
        msg["To"] = self.recipient()
        if others:
            msg["Cc"] = ", ".join(self.address(person) for person in
                                  self.rng.sample(PEOPLE[:-1], others))
        msg["Subject"] = subject
        msg["Date"] = email.utils.format_datetime(self.date)
        msg["Message-ID"] = self.message_id()
        if self.rng.random() < 0.07:
            msg["X-Priority"] = "1 (Highest)"
            msg["Importance"] = "High"
        if self.rng.random() < 0.04:
            msg["Disposition-Notification-To"] = self.address(sender)
        return msg

    def text(self, signature=None):
        language = self.rng.choice(list(TEXTS))
        lines = TEXTS[language]
        charset = self.rng.choice(CHARSETS[language])
        if signature:
            lines += "\n\n-- \n" + signature[0]
        try:
            lines.encode(charset)
        except UnicodeEncodeError:
            charset = "utf-8"
        return lines + "\n", charset

    def set_text(self, msg, text, charset):
        if charset == "us-ascii":
            cte = "7bit"
        else:
            cte = self.rng.choice(["quoted-printable", "base64", "8bit"])
            if charset == "iso-2022-jp":
                cte = "7bit"
        if cte == "8bit" or cte == "7bit":
            data = text.encode(charset).replace(b"\n", b"\r\n")
            msg["MIME-Version"] = "1.0"
            msg["Content-Type"] = 'text/plain; charset="%s"' % charset
            msg["Content-Transfer-Encoding"] = cte
            msg.set_payload(data.decode("ascii", "surrogateescape"))
        else:
            msg.set_content(text, charset=charset, cte=cte)

    def thread_headers(self, msg, thread):
        if thread.ids:
            msg["In-Reply-To"] = thread.ids[-1]
            msg["References"] = " ".join(thread.ids[-10:])
        thread.ids.append(msg["Message-ID"])
        if thread.index is not None:
            if len(thread.ids) > 1:
                thread.index += struct.pack(">I", self.rng.getrandbits(31))
                thread.index += bytes([self.rng.randrange(256)])
            msg["Thread-Index"] = base64.b64encode(thread.index).decode()
            msg["Thread-Topic"] = thread.topic

    # --- kinds of messages

    def reply(self):
        if not self.threads or self.rng.random() < 0.25:
            people = self.rng.sample(PEOPLE, 3)
            thread = Thread(self.rng.choice(TOPICS), people)
            if self.rng.random() < 0.4:
                # 100 ns since 1601, without its lowest 16 bits
                stamp = (int(self.date.timestamp()) + 11644473600) * 10**7
                thread.index = (struct.pack(">Q", stamp)[:6] +
                                bytes(self.rng.randrange(256)
                                      for _ in range(16)))
            self.threads.append(thread)
        thread = self.rng.choice(self.threads[-8:])
        sender = self.rng.choice(thread.people)
        prefix = self.rng.choice(["Re: ", "AW: ", "RE: "]) if thread.ids else ""
        msg = self.envelope(prefix + thread.topic, sender, 1)
        self.thread_headers(msg, thread)
        text, charset = self.text(sender)
        if prefix:
            text += "\nOn that day %s wrote:\n> %s\n" % (
                thread.people[0][0], "\n> ".join(text.split("\n")[:2]))
            try:
                text.encode(charset)
            except UnicodeEncodeError:
                charset = "utf-8"
        self.set_text(msg, text, charset)
        if charset == "utf-8" and self.rng.random() < 0.3:
            msg.set_param("format", "flowed")
        return msg

    def plain(self):
        msg = self.envelope(self.rng.choice(TOPICS))
        text, charset = self.text()
        self.set_text(msg, text, charset)
        return msg

    def html(self, title, paragraphs):
        rows = "".join(
            "<tr><td style=\"padding:8px;font-family:Arial\"><h2>%s</h2>"
            "<p>%s</p><p><a href=\"https://www.%s/offer/%d\">Read more"
            "</a></p></td></tr>" % (
                topic, text.replace("\n", "<br>"), self.args.people_domain,
                self.rng.randrange(10000)) for topic, text in paragraphs)
        return ("<!DOCTYPE html><html><head><title>%s</title><style>"
                "body { background: #f4f4f4 } a { color: #0366d6 }</style>"
                "</head><body><table width=\"600\" align=\"center\">%s"
                "</table></body></html>" % (title, rows))

    def newsletter(self):
        title = "News of week %d" % self.date.isocalendar()[1]
        msg = self.envelope(title, ("Ænima Newsletter", "news"))
        msg["List-Unsubscribe"] = "<https://www.%s/leave>" % (
            self.args.people_domain)
        msg["List-Id"] = "News <news.%s>" % self.args.people_domain
        msg["Precedence"] = "bulk"
        items = [(self.rng.choice(TOPICS), self.rng.choice(
            list(TEXTS.values()))) for _ in range(self.rng.randrange(2, 9))]
        msg.set_content("\n\n".join("%s\n%s" % item for item in items))
        msg.add_alternative(self.html(title, items), subtype="html",
                            cte=self.rng.choice(["quoted-printable",
                                                 "base64"]))
        return msg

    def attach_something(self, msg):
        topic = self.rng.choice(TOPICS)
        kind = self.rng.choice(["png", "pdf", "docx", "txt", "zip", "csv"])
        name = "%s %d.%s" % (topic.rstrip("?"), self.rng.randrange(1, 30),
                             kind)
        if kind == "png":
            msg.add_attachment(png(self.rng, 48, 48), "image", "png",
                               filename=name)
        elif kind == "pdf":
            msg.add_attachment(pdf(topic), "application", "pdf",
                               filename=name)
        elif kind == "docx":
            msg.add_attachment(
                docx(topic), "application",
                "vnd.openxmlformats-officedocument.wordprocessingml.document",
                filename=name)
        elif kind == "txt":
            msg.add_attachment(self.text()[0], filename=name)
        elif kind == "csv":
            rows = "\r\n".join("%d;%d" % (i, self.rng.randrange(1000))
                               for i in range(50))
            msg.add_attachment(rows, subtype="csv", filename=name)
        else:
            size = self.rng.randrange(1000, self.args.max_attachment)
            msg.add_attachment(self.rng.randbytes(size), "application", "zip",
                               filename=name)

    def report(self):
        msg = self.envelope(self.rng.choice(TOPICS), None,
                            self.rng.randrange(3))
        text, _ = self.text()
        msg.set_content(text)
        if self.rng.random() < 0.5:
            msg.add_alternative(self.html("Report", [("Report", text)]),
                                subtype="html")
        for _ in range(self.rng.randrange(1, 4)):
            self.attach_something(msg)
        return msg

    def inline_image(self):
        msg = self.envelope("Pictures: " + self.rng.choice(TOPICS))
        cid = "img%08x@%s" % (self.rng.getrandbits(32),
                              self.args.people_domain)
        msg.set_content("See the picture.\n")
        msg.add_alternative(
            "<html><body><p>See the picture:</p><img src=\"cid:%s\" "
            "alt=\"chart\"><p>Regards</p></body></html>" % cid,
            subtype="html")
        msg.get_payload()[1].add_related(png(self.rng), "image", "png",
                                         cid="<%s>" % cid,
                                         filename="chart.png",
                                         disposition="inline")
        if self.rng.random() < 0.5:
            self.attach_something(msg)
        return msg

    def forward(self):
        inner = self.rng.choice([self.plain, self.report, self.newsletter,
                                 self.inline_image])()
        if self.rng.random() < 0.3:
            middle = self.envelope("Fwd: " + inner["Subject"])
            middle.set_content("Forwarded twice.\n")
            middle.add_attachment(inner)
            inner = middle
        msg = self.envelope("FW: " + inner["Subject"])
        msg.set_content("For your information.\n")
        msg.add_attachment(inner)
        return msg

    def invitation(self):
        topic = self.rng.choice(TOPICS)
        organizer = self.person()
        msg = self.envelope("Invitation: " + topic, organizer)
        begin = self.date + datetime.timedelta(days=3)
        form = "%Y%m%dT%H%M%SZ"
        ics = "\r\n".join([
            "BEGIN:VCALENDAR", "PRODID:-//Example//Calendar//EN",
            "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT",
            "UID:%s" % msg["Message-ID"].strip("<>"),
            "DTSTAMP:" + self.date.strftime(form),
            "DTSTART:" + begin.strftime(form),
            "DTEND:" + (begin + datetime.timedelta(hours=1)).strftime(form),
            "SUMMARY:" + topic,
            "ORGANIZER:mailto:" + self.address(organizer, False),
            "END:VEVENT", "END:VCALENDAR", ""])
        msg.set_content("You are invited to: %s\n" % topic)
        msg.add_alternative(ics, subtype="calendar",
                            params={"method": "REQUEST"})
        return msg

    def list_post(self):
        msg = self.envelope("[dev] " + self.rng.choice(TOPICS))
        msg["List-Id"] = "Developers <dev.%s>" % self.args.people_domain
        msg["List-Post"] = "<mailto:dev@%s>" % self.args.people_domain
        msg["Sender"] = "dev-bounces@%s" % self.args.people_domain
        msg.make_mixed()
        for text in (self.text()[0], "_" * 40 + "\ndev mailing list\n"):
            part = email.message.MIMEPart(policy=POLICY)
            part.set_content(text)
            msg.attach(part)
        return msg

    def bounce(self):
        original = self.plain()
        msg = self.envelope("Undelivered Mail Returned to Sender",
                            ("Mail Delivery System", "MAILER-DAEMON"))
        msg["Auto-Submitted"] = "auto-replied"
        address = self.address(self.person(), False)
        msg["MIME-Version"] = "1.0"
        msg["Content-Type"] = "multipart/report; report-type=delivery-status"
        def block(headers, payload=None):
            # (of a class that doesn't insist on MIME-Version)
            part = email.message.Message(policy=email.policy.compat32)
            for name, value in headers:
                part[name] = value
            part.set_payload(payload)
            return part

        status = [
            block([("Reporting-MTA", "dns; mail." + self.args.domain)]),
            block([("Final-Recipient", "rfc822; " + address),
                   ("Action", "failed"), ("Status", "5.1.1"),
                   ("Diagnostic-Code", "smtp; 550 5.1.1 User unknown")]),
        ]
        msg.set_payload([
            block([("Content-Type", "text/plain")],
                  "Your message to <%s> could not be delivered.\r\n" %
                  address),
            block([("Content-Type", "message/delivery-status")], status),
            block([("Content-Type", "message/rfc822")], [original]),
        ])
        return msg

    def small(self):
        """For benchmarks: as little as a message can be, made quickly."""
        topic = TOPICS[self.number % len(TOPICS)]
        if not topic.isascii():
            topic = email.header.Header(topic, "utf-8").encode()
        return (
            "From: %s\r\nTo: %s\r\nSubject: %s %d\r\nDate: %s\r\n"
            "Message-ID: %s\r\n\r\nMessage %d\r\n" % (
                self.address(PEOPLE[self.number % len(PEOPLE)]),
                self.recipient(), topic, self.number,
                email.utils.format_datetime(self.date), self.message_id(),
                self.number)).encode()

    def make(self):
        """The next message's bytes, and its time."""
        self.number += 1
        self.date += datetime.timedelta(
            seconds=self.rng.randrange(60, self.args.interval * 2))
        if self.args.small:
            return self.small(), self.date
        kind = self.rng.choices([k for k, _ in self.kinds],
                                [w for _, w in self.kinds])[0]
        msg = kind()
        return msg.as_bytes(policy=POLICY), self.date


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", metavar="DIR", help="one file per message")
    parser.add_argument("--stream", action="store_true",
                        help="write an mbox to standard output")
    parser.add_argument("--small", action="store_true",
                        help="tiny messages, for benchmarks of many")
    parser.add_argument("--domain", default="example.com",
                        help="domain of the recipients")
    parser.add_argument("--to", action="append", metavar="ADDRESS",
                        help="a recipient; may be given several times")
    parser.add_argument("--people-domain", default="example.org",
                        help="domain of the senders")
    parser.add_argument("--interval", type=int, default=7200,
                        help="seconds between messages, on average")
    parser.add_argument("--max-attachment", type=int, default=60000)
    args = parser.parse_args()
    if not args.out and not args.stream:
        parser.error("one of --out and --stream is needed")

    maker = Maker(args)
    if args.out:
        os.makedirs(args.out, exist_ok=True)
    for number in range(1, args.count + 1):
        data, date = maker.make()
        if args.out:
            path = os.path.join(args.out, "%06d.eml" % number)
            with open(path, "wb") as output:
                output.write(data)
            os.utime(path, (date.timestamp(), date.timestamp()))
        if args.stream:
            lines = data.replace(b"\r\n", b"\n").split(b"\n")
            sys.stdout.buffer.write(
                b"From gen-mail@%s %s\n" % (
                    args.people_domain.encode(),
                    date.strftime("%a %b %d %H:%M:%S %Y").encode()) +
                b"\n".join(b">" + line if line.startswith(b"From ") else line
                           for line in lines) + b"\n")


if __name__ == "__main__":
    main()
