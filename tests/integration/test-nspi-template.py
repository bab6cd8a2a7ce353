#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
"""The dialogs that clients show people, groups and contacts in: as they are laid
out, and filled with what the address book has."""

import os
import struct
import subprocess

from nspilib import Book, columns, stat
from readlib import BUILD, check, check_equal, main

ENGLISH, GERMAN, FRENCH = 0x409, 0x407, 0x40C
USER, GROUP, CONTACT, SEARCH = 0, 1, 6, 0x200
TI_TEMPLATE, TI_SCRIPT, TI_EMT, TI_HELP = 1, 4, 0x10, 0x60
TEMPLATE_DATA, SCRIPT_DATA = 0x00010102, 0x00040102
LABEL, EDIT, LISTBOX, GROUPBOX, BUTTON, PAGE, MV_LISTBOX = 0, 1, 2, 6, 7, 8, 11
STRING8, STRINGS8, ERROR = 0x001E, 0x101E, 0x000A
INVALID_CODE_PAGE, INVALID_LOCALE = 0x8004011E, 0x8004011F


def template_info(book, flags, kind, locale=ENGLISH, code_page=1252, name=None):
    """ErrorCode, and values by tag"""
    body = struct.pack("<II", flags, kind)
    body += b"\0" if name is None else b"\1" + name.encode() + b"\0"
    error, data = book.call("GetTemplateInfo",
                            body + struct.pack("<II", code_page, locale))
    got_page, has_row = struct.unpack_from("<IB", data)
    if error != 0:
        check_equal(has_row, 0, "HasRow with an error")
        return error, None
    check_equal((got_page, has_row), (code_page, 0xFF), "CodePage and HasRow")
    values, pos = {}, 9
    for _ in range(struct.unpack_from("<I", data, 5)[0]):
        tag, has, size = struct.unpack_from("<IBI", data, pos)
        check_equal((tag & 0xFFFF, has), (0x102, 0xFF), f"type of {tag:#x}")
        values[tag] = data[pos + 9:pos + 9 + size]
        check_equal(len(values[tag]), size, f"bytes of {tag:#x}")
        pos += 9 + size
    check_equal(data[pos:], bytes(4), "after the row")
    return 0, values


def read_template(data, encoding):
    """Pages by name: rows of ControlType, property tag, text"""
    kind, count = struct.unpack_from("<II", data)
    check_equal(kind, 1, "type of the template")
    check(8 + 36 * count < len(data), f"{count} rows in {len(data)} bytes")
    pages = {}
    for i in range(count):
        row = struct.unpack_from("<9I", data, 8 + 36 * i)
        text = ""
        if row[8] != 0:
            check(8 + 36 * count <= row[8] < len(data), f"offset of row {i}")
            text = data[row[8]:data.index(b"\0", row[8])].decode(encoding)
        if row[4] == PAGE:
            check(text not in pages, f"page {text} twice")
            rows = pages[text] = []
        else:
            rows.append((row[4], row[6], text))
    return pages


def template(book, kind, locale=ENGLISH, code_page=1252, encoding="cp1252"):
    error, values = template_info(book, TI_TEMPLATE, kind, locale, code_page)
    check_equal(error, 0, f"template {kind:#x} of locale {locale:#x}")
    check_equal(list(values), [TEMPLATE_DATA], "what there is")
    return read_template(values[TEMPLATE_DATA], encoding)


def string8(data, pos):
    check_equal(data[pos], 0xFF, "HasValue")
    end = data.index(b"\0", pos)
    return data[pos + 1:end].decode("cp1252"), end + 1


def read_props(book, name, tags):
    """GetProps of strings: values by tag, without those that aren't there"""
    _, data = book.call("GetProps", struct.pack("<IB", 0, 1) +
                        stat(0, book.mid(name)) + columns(*tags))
    has, count = struct.unpack_from("<BI", data, 4)
    check_equal((has, count), (0xFF, len(tags)), f"properties of {name}")
    values, pos = {}, 9
    for wanted in tags:
        tag = struct.unpack_from("<I", data, pos)[0]
        pos += 4
        check_equal(tag >> 16, wanted >> 16, "property id")
        if tag & 0xFFFF == ERROR:
            pos += 4
        elif tag & 0xFFFF == STRING8:
            values[tag], pos = string8(data, pos)
        else:
            check_equal(tag & 0xFFFF, STRINGS8, "property type")
            has, strings = struct.unpack_from("<BI", data, pos)
            pos += 5
            values[tag] = []
            for _ in range(strings):
                text, pos = string8(data, pos)
                values[tag].append(text)
    return values


def filled(book, name, pages):
    """The dialog as it's shown: values by page and label"""
    shown = {}
    for page, rows in pages.items():
        tags = [tag for _, tag, _ in rows if tag & 0xFFFF in (STRING8, STRINGS8)]
        values = read_props(book, name, tags)
        for (_, _, label), (_, tag, _) in zip(rows, rows[1:]):
            if tag in values:
                shown[page, label.replace("&", "")] = values[tag]
    return shown


def test_user(server):
    book = Book(server)
    book.bind()
    pages = template(book, USER)
    check_equal(list(pages), ["General", "Organization", "Phone/Notes",
                              "Member Of", "E-mail Addresses"], "pages")
    shown = filled(book, "alice", pages)
    for page, label, value in (
            ("General", "Display name:", "Alice Adams"),
            ("General", "First name:", "Alice"),
            ("General", "Last name:", "Adams"),
            ("General", "Title:", "Head of Sales"),
            ("General", "Company:", "Example Ltd"),
            ("General", "Department:", "Sales"),
            ("General", "Office:", "Room 100"),
            ("General", "Address:", "Main Street 1"),
            ("General", "City:", "Berlin"),
            ("General", "Zip code:", "10115"),
            ("General", "E-mail:", "alice@example.org"),
            ("Phone/Notes", "Business:", "+49 30 5550 100"),
            ("Phone/Notes", "Mobile:", "+49 170 5550 100")):
        check_equal(shown.get((page, label)), value, f"{label} of {page}")
    addresses = shown["E-mail Addresses", "E-mail addresses:"]
    check_equal(sorted(addresses),
                ["SMTP:alice@example.org", "smtp:alice.adams@example.org",
                 "smtp:sales@example.org"], "addresses")
    lists = [tag for _, tag, _ in pages["Organization"] + pages["Member Of"]
             if tag & 0xFFFF == 0xD]
    check_equal(lists, [0x8005000D, 0x800E000D, 0x8008000D], "lists")
    # nobody gets to change anything
    check(all(row[0] != BUTTON for rows in pages.values() for row in rows),
          "there's a button")


def test_group(server):
    book = Book(server)
    book.bind()
    pages = template(book, GROUP)
    check_equal(list(pages), ["General", "Member Of", "E-mail Addresses"],
                "pages")
    check_equal([tag for kind, tag, _ in pages["General"] if kind == LISTBOX],
                [0x800C000D, 0x8009000D], "owner and members")
    check((GROUPBOX, 0, "Members") in pages["General"], "box of the members")
    shown = filled(book, "Engineers", pages)
    check_equal(shown["General", "Display name:"], "Engineers", "name")
    check_equal(shown["General", "E-mail:"], "engineers@example.org", "e-mail")
    check_equal(shown["E-mail Addresses", "E-mail addresses:"],
                ["SMTP:engineers@example.org"], "addresses")


def test_contact(server):
    book = Book(server)
    book.bind()
    shown = filled(book, "Dora Partner", template(book, CONTACT))
    check_equal(shown["General", "First name:"], "Dora", "first name")
    check_equal(shown["General", "Company:"], "Partner Inc", "company")
    check_equal(shown["General", "E-mail:"], "dora@partner.example", "e-mail")


def test_lists(server):
    """The lists of the dialogs have whom they are about."""
    book = Book(server)
    book.bind()
    user, group = template(book, USER), template(book, GROUP)
    for name, pages, page, label, expected in (
            ("carol", user, "Organization", "&Manager:", ["Alice Adams"]),
            ("alice", user, "Organization", "&Manager:", []),
            ("john", user, "Member Of", "&Group membership:", ["Engineers"]),
            ("alice", user, "Member Of", "&Group membership:", ["Sales Team"]),
            ("Engineers", group, "General", "&Owner:", ["Erika M\u00fcller"]),
            ("Sales Team", group, "General", "&Owner:", []),
            ("Engineers", group, "Member Of", "&Group membership:",
             ["Everybody"])):
        labels = [text for _, _, text in pages[page]]
        kind, tag, _ = pages[page][labels.index(label) + 1]
        check_equal(kind, LISTBOX, f"what is after {label}")
        check_equal(book.linked(name, tag), expected, f"{label} of {name}")
    reports = book.linked("alice", user["Organization"][3][1])
    check("Carol Clark" in reports and "Bob Brown" not in reports,
          f"reports: {reports}")
    tags = [tag for kind, tag, _ in group["General"] if kind == LISTBOX]
    members = book.linked("Engineers", tags[1])
    check_equal((len(members), "Bob Brown" in members), (8, True), "members")


def test_others(server):
    """What other address books may have: folders, programs, departments"""
    book = Book(server)
    book.bind()
    for kind in (2, 3, 4):
        pages = template(book, kind)
        check_equal(list(pages), ["General", "Member Of", "E-mail Addresses"],
                    f"pages of {kind}")
        shown = filled(book, "Dora Partner", pages)
        check_equal(shown["General", "Display name:"], "Dora Partner", "name")
        check_equal(shown["General", "E-mail:"], "dora@partner.example",
                    "e-mail")


def test_search(server):
    book = Book(server)
    book.bind()
    pages = template(book, SEARCH)
    check_equal(list(pages), ["General"], "pages")
    check_equal({kind for kind, _, _ in pages["General"]}, {LABEL, EDIT},
                "controls")


def test_locales(server):
    book = Book(server)
    book.bind()
    german = template(book, USER, GERMAN)
    check_equal(list(german)[0], "Allgemein", "first page")
    check((LABEL, 0, "Bü&ro:") in german["Allgemein"], "label in cp1252")
    check_equal(template(book, USER, GERMAN, 65001, "utf-8"), german,
                "in UTF-8")
    english = template(book, USER)
    check_equal([row[1] for rows in german.values() for row in rows],
                [row[1] for rows in english.values() for row in rows],
                "properties")
    check_equal(template(book, USER, FRENCH), english, "French")
    # the code page has no umlauts
    check_equal(template(book, USER, GERMAN, 1251, "cp1251"), english,
                "German in cp1251")
    for locale in (0x3FF, 0x409 | 0x80000000, 0xFFFFFFFF):
        check_equal(template_info(book, TI_TEMPLATE, USER, locale)[0],
                    INVALID_LOCALE, f"locale {locale:#x}")
    for code_page in (0, 1200, 99999):
        check_equal(template_info(book, TI_TEMPLATE, USER, ENGLISH,
                                  code_page)[0],
                    INVALID_CODE_PAGE, f"code page {code_page}")
    # without a dialog: private lists, containers, templates
    for kind in (5, 0x100, 0x101, 0x102, 0xFFFFFFFF):
        check_equal(template_info(book, TI_TEMPLATE, kind)[0], INVALID_LOCALE,
                    f"display type {kind:#x}")


def test_flags(server):
    book = Book(server)
    book.bind()
    data = template_info(book, TI_TEMPLATE, USER)[1][TEMPLATE_DATA]
    # a script of no instructions
    script = bytes(4)
    for flags, expected in (
            (0, {}), (TI_SCRIPT, {SCRIPT_DATA: script}),
            (TI_TEMPLATE | TI_SCRIPT,
             {TEMPLATE_DATA: data, SCRIPT_DATA: script}),
            (TI_EMT | TI_HELP, {}),
            (TI_TEMPLATE | TI_HELP, {TEMPLATE_DATA: data}),
            (0xFFFFFF00 | TI_TEMPLATE, {TEMPLATE_DATA: data})):
        check_equal(template_info(book, flags, USER), (0, expected),
                    f"flags {flags:#x}")


def test_names(server):
    book = Book(server)
    book.bind()
    organization = server.env["TEST_DN"].split("/")[1]
    base = f"/{organization}/cn=addressing/cn=display-templates"
    wanted = template_info(book, TI_TEMPLATE, GROUP, GERMAN)
    check_equal(template_info(book, TI_TEMPLATE, SEARCH, 0x3FF,
                              name=base + "/cn=407/cn=1"), wanted, "by name")
    for name in ("", base, base + "/cn=407/cn=5", base + "/cn=407/cn=1/",
                 base + "/cn=3ff/cn=1", server.env["TEST_DN"]):
        check_equal(template_info(book, TI_TEMPLATE, USER, name=name)[0],
                    INVALID_LOCALE, f"name {name!r}")


def test_creation_templates(server):
    book = Book(server)
    book.bind()
    error, data = book.call("GetSpecialTable", struct.pack("<IB", 2, 1) +
                            stat() + b"\0")
    check_equal(error, 0, "GetSpecialTable")
    # CodePage, HasVersion, HasRows, RowsCount
    check_equal(struct.unpack_from("<IBBI", data), (1252, 0, 0xFF, 0),
                "types of addresses that are created by templates")


def test_mapitest(server):
    book = Book(server)
    book.bind()
    data = template_info(book, TI_TEMPLATE, GROUP)[1][TEMPLATE_DATA]
    env = dict(os.environ, MAPI_PASSWORD=server.password,
               MAPI_CA=server.env["TEST_CA"])
    proc = subprocess.run(
        [os.path.join(BUILD, "mapitest"), "gal", server.users[0],
         "--autodiscover-url", server.env["AUTODISCOVER_URL"], "--no-srv",
         "--timeout", "30", "--details", "Engineers"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=120,
        check=False, text=True)
    check_equal(proc.returncode, 0, f"mapitest: {proc.stderr}")
    check(f" {len(data)} bytes" in proc.stdout, f"no template:\n{proc.stdout}")


if __name__ == "__main__":
    main()
