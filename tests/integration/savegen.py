# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generated messages, how they are written over MAPI, and the law that what is read
afterwards is what was saved (docs/architecture.md, section 6)."""

import random

import savelib
from readlib import TestFailure, check, check_equal
from savelib import (
    ATTACH_DATA, ATTACH_METHOD, ATTACH_MIME, ATTACH_NAME, BODY, CLASS,
    EC_NOT_ENOUGH_MEMORY, HTML, IMPORTANCE, SENSITIVITY, SMTP_ADDRESS, SUBJECT,
    same_value)

# the sets that names are from
SETS = (savelib.PS_PUBLIC_STRINGS, savelib.PSETID_COMMON,
        bytes.fromhex("8603020000000000c000000000000046"),
        bytes.fromhex("00112233445566778899aabbccddeeff"))
TYPES = (0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B, 0x14, 0x1F, 0x40, 0x48,
         0x102, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1014,
         0x101F, 0x1040, 0x1048, 0x1102)
RECIPIENT_COLUMNS = (0x3A20001F, 0x39000003, 0x0FFF0102, 0x5FFD0003,
                     0x3A00001F, 0x67890003)
WORDS = ("one", "zwei", "tr\u00e8s", "\u0447\u0435\u0442\u044b\u0440\u0435",
         "\u4e94", "\U0001F600", "a=b", "<tag>", "\"quoted\"", "=?utf-8?q?x?=",
         "From ", ".", "--", "x" * 90)
INT_PROPS = {IMPORTANCE: (0, 1, 2), SENSITIVITY: (0, 1, 2, 3),
             0x00260003: (-1, 0, 1),     # PidTagPriority
             0x0E790003: (0, 1),         # PidTagTrustSender
             0x10800003: (-1, 256, 261, 262, 512, 1028),
             0x10900003: (1, 2), 0x10950003: (1, 6), 0x59090003: (1, 2),
             0x3FF10003: (0x407, 0x409)}
STRING_PROPS = (0x0042001F, 0x0064001F, 0x0065001F, 0x0070001F, 0x0C1A001F,
                0x0C1E001F, 0x0C1F001F, 0x1035001F, 0x1039001F, 0x1042001F,
                0x0E28001F, 0x6701001F, 0x7C0C001F)
TIME_PROPS = (0x00390040, 0x0E060040, 0x10820040, 0x30070040, 0x00150040)
BINARY_PROPS = (0x0071_0102, 0x0041_0102, 0x0C19_0102, 0x300B_0102,
                0x6702_0102, 0x7C07_0102)
BOOL_PROPS = (0x0029000B, 0x0023000B, 0x0E01000B, 0x6703000B, 0x7D0E000B)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, values, chance):
        return [v for v in values if self.random.random() < chance]

    def text(self, most=8):
        return " ".join(self.random.choices(
            WORDS, k=self.random.randint(0, most)))

    def lines(self, count):
        return "".join(self.text(12) + self.random.choice(
            ("\r\n", "\r\n", "\n", " \r\n", "\r\n\r\n"))
            for _ in range(self.random.randint(0, count)))

    def value(self, kind):
        rnd = self.random
        if kind & 0x1000:
            return [self.value(kind & 0xfff)
                    for _ in range(rnd.randint(0, 4))]
        if kind in (0x02, 0x03, 0x06, 0x14):
            bits = {0x02: 16, 0x03: 32}.get(kind, 64)
            return rnd.choice((0, -1, 1, (1 << bits - 1) - 1,
                               rnd.getrandbits(bits - 1)))
        if kind in (0x04, 0x05, 0x07):
            return rnd.choice((0.0, -0.5, 1.0, float("inf"), float("nan"),
                               2.0 ** rnd.randint(-20, 20)))
        if kind == 0x0B:
            return rnd.random() < 0.5
        if kind == 0x40:
            return rnd.choice((0, 0x0cb34557a3dd4000, 1 << 62,
                               132539328000000000 + rnd.getrandbits(40)))
        if kind == 0x48:
            return rnd.randbytes(16)
        if kind == 0x1F:
            return self.text()
        return rnd.randbytes(rnd.choice((0, 1, 3, 16, 1000)))

    def names(self, count):
        """(set, name) without duplicates"""
        result = {}
        for i in range(count):
            guid = self.random.choice(SETS)
            name = self.random.choice((0x8000 + 7919 * i % 0x7000,
                                       f"x-{i}", f"n\u00e4me {i}"))
            result[guid, name] = True
        return list(result)

    def bodies(self, message):
        rnd = self.random
        text, html = self.lines(12), self.lines(12).replace("<tag>", "<b>")
        kind = rnd.choice(("none", "text", "html", "both", "stream"))
        if kind in ("text", "both"):
            message["props"][BODY] = text
        if kind in ("html", "both"):
            message["props"][0x3FDE0003] = 65001
            message["props"][HTML] = \
                f"<html><body>{html}</body></html>".encode()
        if kind == "stream":
            message["streams"][BODY] = self.lines(1500)

    def properties(self):
        rnd = self.random
        props = {tag: rnd.choice(values) for tag, values in
                 self.some(INT_PROPS.items(), 0.4)}
        props.update((tag, self.text()) for tag in
                     self.some(STRING_PROPS, 0.3))
        props.update((tag, self.value(0x40)) for tag in
                     self.some(TIME_PROPS, 0.3))
        props.update((tag, self.value(0x102)) for tag in
                     self.some(BINARY_PROPS, 0.3))
        props.update((tag, self.value(0x0B)) for tag in
                     self.some(BOOL_PROPS, 0.3))
        return props

    def recipients(self):
        rows = []
        row_id = 0
        for _ in range(self.random.randint(0, 6)):
            address = f"user{row_id}@example.{self.random.choice(('org', 'net'))}"
            values = {SMTP_ADDRESS: address}
            values.update((tag, self.value(tag & 0xffff)) for tag in
                          self.some(RECIPIENT_COLUMNS, 0.3))
            rows.append((row_id, self.random.choice((1, 2, 3)),
                         self.text(3) or "name", address, values))
            row_id += self.random.choice((1, 1, 1, 5))
        return rows

    def attachment(self, depth):
        rnd = self.random
        attachment = {"props": {}, "streams": {}, "message": None}
        for tag in self.some((0x3704001F, 0x3712001F, 0x6701001F, 0x3713001F),
                             0.3):
            attachment["props"][tag] = self.text(3)
        attachment["props"].update(
            (tag, self.value(tag & 0xffff)) for tag in
            self.some((0x7FFE000B, 0x37140003, 0x67020102, 0x30070040), 0.3))
        if depth < 3 and rnd.random() < 0.3:
            attachment["props"][ATTACH_METHOD] = 5
            attachment["message"] = self.message(depth + 1)
            return attachment
        attachment["props"][ATTACH_METHOD] = 1
        attachment["props"][ATTACH_NAME] = \
            rnd.choice(("a.bin", "r\u00e9sum\u00e9.pdf", "x y.txt", ""))
        attachment["props"][ATTACH_MIME] = rnd.choice(
            ("application/pdf", "text/plain", "message/rfc822", "nonsense"))
        size = rnd.choice((0, 1, 57, 1000, 30000))
        if rnd.random() < 0.3:
            attachment["streams"][ATTACH_DATA] = rnd.randbytes(size * 7)
        else:
            attachment["props"][ATTACH_DATA] = rnd.randbytes(min(size, 20000))
        return attachment

    def message(self, depth=0):
        rnd = self.random
        message = {
            "props": self.properties(), "streams": {},
            "named": {(name, kind): self.value(kind) for name, kind in zip(
                self.names(10), rnd.sample(TYPES, 10))},
            "recipients": self.recipients(),
            "attachments": [self.attachment(depth) for _ in
                            range(rnd.choice((0, 0, 1, 3)))],
        }
        message["props"][SUBJECT] = rnd.choice(("", "RE: ", "AW: ", "x: ")) + \
            self.text()
        if rnd.random() < 0.3:
            message["props"][CLASS] = rnd.choice(
                ("IPM.Note", "IPM.Note.Test", "IPM.Post", "IPM.StickyNote"))
        if rnd.random() < 0.2:
            message["streams"][0x6704_0102] = rnd.randbytes(200000)
            message["streams"][0x6705_001F] = self.lines(3000)
        self.bodies(message)
        return message


# --- writing -------------------------------------------------------------------

def resolve(session, message):
    """Named properties get the ids that the store has for them."""
    ids = session.ids([name for name, _ in message["named"]])
    named = {prop_id << 16 | kind: value for prop_id, ((_, kind), value) in
             zip(ids, message["named"].items())}
    return {**message["props"], **named}


def write_object(session, handle, props, streams):
    # a buffer holds 32 KB
    batch, size = {}, 0
    for tag, value in list(props.items()) + [(None, None)]:
        add = 0 if tag is None else len(
            savelib.pack_value(tag & 0xffff, value))
        if batch and (tag is None or size + add > 20000):
            check_equal(session.set(handle, batch), {}, "RopSetProperties")
            batch, size = {}, 0
        if tag is not None:
            batch[tag] = value
            size += add
    for tag, value in streams.items():
        session.write_stream(handle, tag, value if isinstance(value, bytes)
                             else value.encode("utf-16le"))


def write(session, handle, message):
    write_object(session, handle, resolve(session, message),
                 message["streams"])
    if message["recipients"]:
        session.modify_recipients(
            handle, RECIPIENT_COLUMNS + (SMTP_ADDRESS,),
            message["recipients"])
    for attachment in message["attachments"]:
        write_attachment(session, handle, attachment)


def write_attachment(session, handle, attachment):
    attach, num = session.create_attachment(handle)
    attachment["num"] = num
    write_object(session, attach, attachment["props"], attachment["streams"])
    if attachment["message"] is not None:
        embedded = session.open_embedded(attach, savelib.CREATE)
        write(session, embedded, attachment["message"])
        session.save(embedded)
        session.release(embedded)
    session.save_attachment(attach, handle)
    session.release(attach)


# --- comparing -----------------------------------------------------------------

def compare_value(session, handle, tag, wanted, got, error, what):
    if error == EC_NOT_ENOUGH_MEMORY:
        got = session.read_stream(handle, tag)
        if not isinstance(wanted, bytes):
            got = got.decode("utf-16le")
    same = len(got) == len(wanted) and all(map(same_value, got, wanted)) \
        if isinstance(wanted, list) and isinstance(got, list) \
        else same_value(got, wanted)
    if not same:
        raise TestFailure(f"{what}, tag {tag:08x}: {str(got)[:300]!r} "
                          f"(0x{error or 0:x}) instead of "
                          f"{str(wanted)[:300]!r}")


def compare_object(session, handle, wanted, what):
    tags = list(wanted)
    for i in range(0, len(tags), 20):
        values, errors = session.get(handle, tags[i:i + 20])
        for tag in tags[i:i + 20]:
            compare_value(session, handle, tag, wanted[tag], values.get(tag),
                          errors.get(tag), what)


def compare(session, handle, message, what, mid=None, folder_id=None):
    """mid: of a stored message"""
    compare_object(session, handle,
                   {**resolve(session, message), **message["streams"]}, what)
    if mid is not None:
        compare_recipients(session, handle, message, what, mid, folder_id)
    check_equal(session.attachment_nums(handle),
                [a["num"] for a in message["attachments"]],
                what + ": attachments")
    for attachment in message["attachments"]:
        where = f"{what}, attachment {attachment['num']}"
        attach = session.open_attachment(handle, attachment["num"])
        compare_object(session, attach,
                       {**attachment["props"], **attachment["streams"]}, where)
        if attachment["message"] is not None:
            embedded = session.open_embedded(attach)
            compare(session, embedded, attachment["message"],
                    where + ", message")
            session.release(embedded)
        session.release(attach)


def compare_recipients(session, handle, message, what, mid, folder_id):
    got = session.recipients(handle, mid, folder_id)
    check_equal([row[:4] for row in got],
                [row[:4] for row in message["recipients"]],
                what + ": recipients")
    for row, wanted in zip(got, message["recipients"]):
        for tag, value in wanted[4].items():
            check(same_value(row[4].get(tag), value),
                  f"{what}: recipient {row[0]}, tag {tag:08x}: "
                  f"{row[4].get(tag)!r} instead of {value!r}")


# --- changing ------------------------------------------------------------------
# All return whether the MIME form is another one.

def change_properties(session, handle, message, generator):
    """What only a bag has"""
    rnd = generator.random
    values = {0x67110003: generator.value(0x03), 0x7C070102:
              generator.value(0x102), 0x6703000B: rnd.random() < 0.5}
    for (name, kind) in list(message["named"])[:3]:
        if name[0] != SETS[2]:
            message["named"][name, kind] = generator.value(kind)
    deleted = [tag for tag in message["props"] if tag in
               (0x6701001F, 0x67020102) and rnd.random() < 0.5]
    message["props"].update(values)
    write_object(session, handle, {
        tag: value for tag, value in resolve(session, message).items()
        if tag in values or (tag >> 16 >= 0x8000)}, {})
    for tag in deleted:
        message["props"].pop(tag, None)
    check_equal(session.delete(handle, deleted), {}, "RopDeleteProperties")
    return False


def change_content(session, handle, message, generator):
    rnd = generator.random
    for tag in (BODY, HTML, 0x3FDE0003):
        message["props"].pop(tag, None)
        message["streams"].pop(tag, None)
    text = f"changed {rnd.random()}\r\n" + generator.lines(5)
    message["props"][BODY] = text
    check_equal(session.set(handle, {BODY: text}), {}, "RopSetProperties")
    return True


def change_recipients(session, handle, message, generator):
    rows = message["recipients"]
    removed = generator.some(rows, 0.4)
    added = [(row[0] + 100,) + row[1:] for row in generator.recipients()]
    changes = [(row[0], row[1], None, None, None) for row in removed] + added
    left = {row[0]: row for row in rows if row not in removed}
    left.update((row[0], row) for row in added)
    message["recipients"] = [left[row_id] for row_id in sorted(left)]
    columns = RECIPIENT_COLUMNS + (SMTP_ADDRESS,)
    if changes:
        session.modify_recipients(handle, columns, changes)
    return bool(changes)


def change_attachments(session, handle, message, generator):
    changed = False
    for attachment in generator.some(message["attachments"], 0.4):
        changed = True
        message["attachments"].remove(attachment)
        session.rop(savelib.DELETE_ATTACHMENT, attachment["num"].to_bytes(
            4, "little"), [handle])
    for attachment in generator.some(message["attachments"], 0.5):
        changed = True
        attach = session.open_attachment(handle, attachment["num"])
        if attachment["message"] is None:
            data = generator.value(0x102)
            attachment["streams"].pop(ATTACH_DATA, None)
            attachment["props"][ATTACH_DATA] = data
            check_equal(session.set(attach, {ATTACH_DATA: data}), {},
                        "RopSetProperties")
        else:
            embedded = session.open_embedded(attach)
            change_properties(session, embedded, attachment["message"],
                              generator)
            if generator.random.random() < 0.5:
                change_content(session, embedded, attachment["message"],
                               generator)
                change_attachments(session, embedded, attachment["message"],
                                   generator)
            session.save(embedded)
            session.release(embedded)
        session.save_attachment(attach, handle)
        session.release(attach)
    if generator.random.random() < 0.5:
        attachment = generator.attachment(2)
        write_attachment(session, handle, attachment)
        message["attachments"].append(attachment)
        changed = True
    return changed
