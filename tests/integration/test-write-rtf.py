#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bodies as RTF: a client that writes nothing else gets back what it wrote, byte
for byte, everybody else text and HTML; and a client that reads nothing else gets
RTF of every message."""

import struct
import zlib

import rawmapi
from readlib import append, check, check_equal, main
from submitlib import BODY, Client, INBOX, SUBJECT, TO, by_subject

HTML, RTF = 0x10130102, 0x10090102
NATIVE_BODY, RTF_IN_SYNC = 0x10160003, 0x0E1F000B
OPEN_STREAM, READ_STREAM, GET_PROPS_ALL = 0x2B, 0x2C, 0x08
CREATE_ATTACHMENT, SAVE_ATTACHMENT = 0x23, 0x25
ATTACH_METHOD, ATTACH_NAME, ATTACH_DATA = 0x37050003, 0x3707001F, 0x37010102
RENDERING_POSITION, HAS_ATTACHMENTS = 0x370B0003, 0x0E1B000B
EC_NOT_ENOUGH_MEMORY = 0x8007000E
NONE = 0xffffffff

NATIVE = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}}" \
    rb"\pard Gr\'fc\'dfe \b bold\b0\par\u8364? 5\par}"
ENCAPSULATED = rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0" \
    rb"{\fonttbl{\f0\fswiss Arial;}}\uc1\pard\plain\f0 " \
    rb"{\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 wrapped " \
    rb"{\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0  sound\htmlrtf }\htmlrtf0 " \
    rb"{\*\htmltag72 </p>}}"
FROMTEXT = rb"{\rtf1\ansi\ansicpg1252\fromtext \deff0 just\tab text\par}"

DICTIONARY = (b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil "
              b"\\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans "
              b"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0"
              b"\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u"
              b"\\tab\\tx")


def rtf_crc(data):
    """[MS-OXRTFCP] 2.1.3.2: without the inversions of zlib's"""
    return zlib.crc32(data, 0xffffffff) ^ 0xffffffff


def stored(rtf):
    """PidTagRtfCompressed, not compressed"""
    return struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf


def literals(rtf):
    """PidTagRtfCompressed without a reference but the end"""
    write, out = len(DICTIONARY), b""
    for pos in range(0, len(rtf) + 1, 8):
        part = rtf[pos:pos + 8]
        write += len(part)
        if len(part) == 8:
            out += b"\0" + part
        else:
            out += bytes([1 << len(part)]) + part + \
                struct.pack(">H", (write & 0xfff) << 4)
    return struct.pack("<II4sI", len(out) + 12, len(rtf), b"LZFu",
                       rtf_crc(out)) + out


def decompress(data):
    size, raw_size, kind, crc = struct.unpack_from("<II4sI", data)
    check_equal(kind, b"LZFu", "COMPTYPE")
    data = data[16:size + 4]
    check_equal(rtf_crc(data), crc, "CRC")
    dictionary = bytearray(DICTIONARY.ljust(4096))
    write, pos, out = len(DICTIONARY), 0, bytearray()
    while True:
        control = data[pos]
        pos += 1
        for bit in range(8):
            if control >> bit & 1 == 0:
                chars = [data[pos]]
                pos += 1
            else:
                ref = data[pos] << 8 | data[pos + 1]
                pos += 2
                if ref >> 4 == write & 0xfff:
                    check_equal(len(out), raw_size, "RAWSIZE")
                    return bytes(out)
                chars = range(ref >> 4, (ref >> 4) + (ref & 15) + 2)
                chars = (dictionary[c & 0xfff] for c in chars)
            for char in chars:
                out.append(char)
                dictionary[write & 0xfff] = char
                write += 1


def read_stream(client, obj, tag):
    """All of a property; None if there's none"""
    answer = client.one(struct.pack("<BBBBIB", OPEN_STREAM, 0, 0, 1, tag, 0),
                        [obj, NONE])
    if answer.return_value() != 0:
        return None
    stream, data = answer.handles[1], b""
    size = struct.unpack_from("<I", answer.rops, 6)[0]
    while True:
        answer = client.ok(struct.pack("<BBBH", READ_STREAM, 0, 0, 16000),
                           [stream], "RopReadStream")
        length = struct.unpack_from("<H", answer.rops, 6)[0]
        if length == 0:
            break
        data += answer.rops[8:8 + length]
    check_equal(len(data), size, "StreamSize")
    return data


def get_flagged(client, obj, tag, limit=0):
    """One property as the bytes of its value, or an error code"""
    answer = client.ok(struct.pack("<BBBHHHII", rawmapi.ROP_GET_PROPS, 0, 0,
                                   limit, 1, 2, 0x0E070003, tag), [obj],
                       "RopGetPropertiesSpecific")
    row = answer.rops[6:]
    if row[0] == 0:
        return row[5:]
    check_equal(row[1], 0, "PidTagMessageFlags")
    if row[6] == 0x0A:
        return struct.unpack_from("<I", row, 7)[0]
    return row[7:]


def check_prop(client, obj, tag, wanted, what):
    data = get_flagged(client, obj, tag)
    check(isinstance(data, bytes), f"{what}: {data}")
    check_equal(data[0], wanted, what)


def bodies(server, subject):
    """(text, HTML) of the only message with that subject, as IMAP has it"""
    found = by_subject(server, "INBOX", subject)
    check_equal(len(found), 1, subject)
    parts = {part.get_content_type(): part.get_content()
             for part in found[0].walk() if not part.is_multipart()}
    return parts.get("text/plain"), parts.get("text/html")


def create(client, subject, rtf, save=True):
    msg = client.create({SUBJECT: subject}, [], INBOX, save=False)
    client.set_stream(msg, RTF, rtf)
    return (msg, client.save(msg)) if save else msg


def check_rtf(server, mid, rtf):
    """What another session reads"""
    other = Client(server)
    msg = other.open_message(mid, INBOX)
    check_equal(read_stream(other, msg, RTF), rtf, "PidTagRtfCompressed")
    check_prop(other, msg, NATIVE_BODY, 2, "PidTagNativeBody")
    check_prop(other, msg, RTF_IN_SYNC, 1, "PidTagRtfInSync")
    other.close()


def test_written(server):
    client = Client(server)
    for pack in (stored, literals):
        for name, rtf, text, html in (
                ("native", NATIVE, "Grüße bold\n€ 5\n",
                 ("<div>", "Grüße <", "<b>", "bold</", "€ 5")),
                ("wrapped", ENCAPSULATED, "wrapped & sound\n",
                 ("<p>wrapped &amp; sound</p>",)),
                ("text", FROMTEXT, "just\ttext\n", None)):
            subject = f"{name} {pack.__name__}"
            _, mid = create(client, subject, pack(rtf))
            check_rtf(server, mid, pack(rtf))
            got_text, got_html = bodies(server, subject)
            check_equal(got_text.replace("\r\n", "\n"), text, subject)
            check_equal(got_html is None, html is None, subject)
            for part in html or ():
                check(part in got_html, f"{subject}: {part} in {got_html}")
    client.close()


def test_replaced(server):
    """A body that is written later takes the place of all others."""
    client = Client(server)
    msg, mid = create(client, "replaced", stored(NATIVE))
    client.set_props(msg, {HTML: b"<p>by HTML</p>"})
    check_equal(client.save(msg), mid, "MessageId")
    check_equal(bodies(server, "replaced")[1].strip(), "<p>by HTML</p>",
                "text/html")
    other = Client(server)
    msg = other.open_message(mid, INBOX)
    check_prop(other, msg, NATIVE_BODY, 3, "PidTagNativeBody")
    check_prop(other, msg, RTF_IN_SYNC, 0, "PidTagRtfInSync")
    check(b"by HTML" in decompress(read_stream(other, msg, RTF)),
          "RTF of the HTML")
    other.set_stream(msg, RTF, literals(ENCAPSULATED))
    check_equal(other.save(msg), mid, "MessageId")
    check_rtf(server, mid, literals(ENCAPSULATED))
    check("sound" in bodies(server, "replaced")[0], "text/plain")
    other.set_props(msg, {BODY: "by text\r\n"})
    other.save(msg)
    check_equal(bodies(server, "replaced"), ("by text\r\n", None), "bodies")
    check_prop(other, msg, NATIVE_BODY, 1, "PidTagNativeBody")
    # what isn't a body leaves the RTF alone
    other.set_stream(msg, RTF, stored(NATIVE))
    other.save(msg)
    other.set_props(msg, {SUBJECT: "renamed"})
    other.save(msg)
    check_rtf(server, mid, stored(NATIVE))
    check("bold" in bodies(server, "renamed")[1], "text/html")
    other.close()
    client.close()


def test_broken(server):
    """What isn't compressed RTF is kept, too, and breaks nothing."""
    client = Client(server)
    for i, data in enumerate((b"", b"no RTF", literals(NATIVE)[:-8],
                              literals(b"no RTF either"), stored(b"{\\rtf"))):
        _, mid = create(client, f"broken {i}", data)
        check_rtf(server, mid, data)
        check_equal(len(by_subject(server, "INBOX", f"broken {i}")), 1,
                    "messages")
    client.close()


def test_image(server):
    """An image that the RTF shows is one that the HTML shows."""
    client = Client(server)
    msg = create(client, "image", stored(rb"{\rtf1 x \objattph\'20 y}"),
                 save=False)
    attachment = client.ok(struct.pack("<BBBB", CREATE_ATTACHMENT, 0, 0, 1),
                           [msg, NONE], "RopCreateAttachment").handles[1]
    client.set_props(attachment, {
        ATTACH_METHOD: 1, ATTACH_NAME: "image.png", ATTACH_DATA: b"PNG",
        RENDERING_POSITION: 2})
    client.ok(struct.pack("<BBBBB", SAVE_ATTACHMENT, 0, 0, 1, 0x0A),
              [msg, attachment], "RopSaveChangesAttachment")
    mid = client.save(msg)
    check_rtf(server, mid, stored(rb"{\rtf1 x \objattph\'20 y}"))
    check_prop(client, msg, HAS_ATTACHMENTS, 1, "PidTagHasAttachments")
    found = by_subject(server, "INBOX", "image")[0]
    part = [p for p in found.walk() if p.get_filename() == "image.png"][0]
    check(f"<img src=\"cid:{part['Content-ID'].strip('<>')}\"" in
          bodies(server, "image")[1], "the image's content id")
    check("<<image.png>>" in bodies(server, "image")[0], "the image's name")
    client.close()


def test_sent(server):
    """Recipients get what they can read."""
    client = Client(server)
    msg = client.create({SUBJECT: "sent RTF"},
                        [(TO, server.users[1], "Bob")], save=False)
    client.set_stream(msg, RTF, literals(ENCAPSULATED))
    client.save(msg)
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    got = by_subject(server, "INBOX", "sent RTF", server.users[1])
    check_equal(len(got), 1, "messages")
    check_equal(got[0].get_body(("html",)).get_content().strip(),
                "<p>wrapped &amp; sound</p>", "text/html")
    check_equal(got[0].get_body(("plain",)).get_content().strip(),
                "wrapped & sound", "text/plain")
    check_equal([p.get_content_type() for p in got[0].walk()],
                ["multipart/alternative", "text/plain", "text/html"], "parts")
    client.close()


def test_read(server):
    """RTF of mail that others have sent, for who asks for it"""
    append(server, "INBOX", b"From: a@example.net\r\nSubject: plain\r\n\r\n"
           b"text {1}\r\n")
    append(server, "INBOX", b"From: a@example.net\r\nSubject: html\r\n"
           b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
           b"\r\n<p>Gr\xc3\xbc\xc3\x9fe <b>all</b></p>\r\n")
    append(server, "INBOX", b"From: a@example.net\r\nSubject: large\r\n\r\n" +
           b"".join(b"line %d\r\n" % (i * 7919) for i in range(20000)))
    client = Client(server)
    folder = client.raw.open_folder(client.logon, client.raw.logon_ids[INBOX])
    table = client.raw.contents_table(folder)
    client.ok(struct.pack("<BBBBHII", rawmapi.ROP_SET_COLUMNS, 0, 0, 0, 2,
                          0x674A0014, RTF), [table], "RopSetColumns")
    answer = client.ok(struct.pack("<BBBBBH", rawmapi.ROP_QUERY_ROWS, 0, 0, 0,
                                   1, 1000), [table], "RopQueryRows")
    count = struct.unpack_from("<H", answer.rops, 7)[0]
    check(count >= 3, "rows")
    # no RTF in any of the last rows: flagged, MID, error
    rows = answer.rops[-15 * 3:]
    mids = []
    for i in range(3):
        row = rows[i * 15:i * 15 + 15]
        check_equal(row[:2] + row[10:], b"\1\0\x0a\x0f\x01\x04\x80",
                    "row with RTF")
        mids.append(row[2:10])
    plain, html, large = (client.open_message(mid, INBOX) for mid in mids)

    rtf = decompress(read_stream(client, plain, RTF))
    check(b"\\fromtext" in rtf and b"text \\{1\\}\\par" in rtf, "RTF of text")
    data = get_flagged(client, plain, RTF)
    check_equal(decompress(data[2:]), rtf, "RTF by RopGetPropertiesSpecific")
    check_prop(client, plain, RTF_IN_SYNC, 0, "PidTagRtfInSync")

    rtf = decompress(read_stream(client, html, RTF))
    check(b"\\fromhtml1" in rtf, "RTF of HTML")
    check(b"Gr\\u252?\\u223?e {\\*\\htmltag" in rtf, rtf)
    check_prop(client, html, NATIVE_BODY, 3, "PidTagNativeBody")

    check_equal(get_flagged(client, large, RTF), EC_NOT_ENOUGH_MEMORY,
                "a value that is too large")
    rtf = decompress(read_stream(client, large, RTF))
    check(b"line 158372081\\par" in rtf, "the large one's end")
    for msg in (plain, html, large):
        answer = client.ok(struct.pack("<BBBHH", GET_PROPS_ALL, 0, 0, 0, 1),
                           [msg], "RopGetPropertiesAll")
        check(struct.pack("<I", RTF) not in answer.rops, "RTF isn't listed")
    client.close()


if __name__ == "__main__":
    main()
