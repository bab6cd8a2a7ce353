#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
"""What users change in the directory by their address book: certificates, and
members of lists, with the rights that the directory gives them."""

import os
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.environ["TESTS"]))

import ldaplib
from nspilib import MEMBER, Book
from readlib import check, check_equal, main, wait_for
from slapdlib import BASE, HERE, PASSWORD, READER, Slapd

ACCESS_DENIED, NOT_FOUND, INVALID_PARAMETER = 0x80070005, 0x8004010F, 0x80070057
CERTIFICATE, SMIME_CERTIFICATE, TITLE = 0x8C6A1102, 0x3A701102, 0x3A17001F
ALICE = f"uid=alice,ou=Sales,ou=People,{BASE}"
BOB = f"uid=bob,ou=Engineering,ou=People,{BASE}"
ENGINEERS = f"cn=engineers,ou=Groups,{BASE}"


def settings(**more):
    return dict({"mapi_ldap_uris": slapd.url, "mapi_ldap_auth_dn": READER,
                 "mapi_ldap_auth_dn_password": PASSWORD,
                 "mapi_ldap_write": "yes"}, **more)


def book_of(server, user):
    book = Book(server, user=f"{user}@example.org")
    book.bind()
    return book


def has_members(book, group, names, without=()):
    def found():
        members = book.members(group)
        return set(names) <= set(members) and not set(without) & set(members)
    wait_for(f"{names} in {group}, not {without}", found)


def test_members(server):
    wait_for("the directory", lambda: book_of(server, "alice").resolve(
        "Engineers")[0] == [2])
    alice = book_of(server, "alice")
    has_members(alice, "Engineers", ["Bob Brown"], ["Carol Clark"])
    bob, carol = (alice.entry_id(f"{name}@example.org")
                  for name in ("bob", "carol"))
    check_equal(alice.modify_links("Engineers", MEMBER, [carol, bob, carol]), 0,
                "adding one who's new and one who isn't")
    has_members(alice, "Engineers", ["Bob Brown", "Carol Clark"])
    check_equal(alice.modify_links("Engineers", MEMBER,
                                   [bob, b"unknown",
                                    alice.entry_id("alice@example.org")],
                                   delete=True), 0,
                "removing one who's there, one who isn't, and nobody")
    has_members(alice, "Engineers", ["Carol Clark"], ["Bob Brown"])
    check(BOB.lower() not in slapd.search("-s", "sub", "cn=Engineers",
                                          "member").lower(),
          "he's still in the directory")
    # not the owner
    other = book_of(server, "bob")
    check_equal(other.modify_links("Engineers", MEMBER, [bob]), ACCESS_DENIED,
                "somebody else")
    check_equal(other.modify_links("Engineers", MEMBER, [carol], delete=True),
                ACCESS_DENIED, "somebody else removing")
    has_members(other, "Engineers", ["Carol Clark"], ["Bob Brown"])
    server.wait_logged("who has changed it",
                       f"uid=alice,ou=sales,ou=people,{BASE} has changed")


def test_wrong(server):
    alice = book_of(server, "alice")
    bob = alice.entry_id("bob@example.org")
    check_equal(alice.modify_links("Engineers", TITLE, [bob]), NOT_FOUND,
                "not a property of links")
    check_equal(alice.modify_links("Bob Brown", MEMBER, [bob]), ACCESS_DENIED,
                "members of a user")
    check_equal(alice.modify_links("Engineers", MEMBER, [b"nonsense"]),
                ACCESS_DENIED, "an entry id that's none")
    check_equal(alice.modify_binaries("alice@example.org", TITLE, []),
                ACCESS_DENIED, "another property")


def test_unique_members(server):
    """The attribute that the group's class has"""
    slapd.modify(f"dn: cn=unique,ou=Groups,{BASE}\nchangetype: add\n"
                 "objectClass: groupOfUniqueNames\nobjectClass: mailGroup\n"
                 f"cn: Unique\nmail: unique@example.org\nowner: {ALICE}\n"
                 f"uniqueMember: {ALICE}\n")
    alice = book_of(server, "alice")
    wait_for("the group", lambda: alice.resolve("Unique")[0] == [2])
    check_equal(alice.modify_links("Unique", MEMBER,
                                   [alice.entry_id("bob@example.org")]), 0,
                "adding")
    has_members(alice, "Unique", ["Alice Adams", "Bob Brown"])
    check_equal(alice.modify_links("Unique", MEMBER,
                                   [alice.entry_id("carol@example.org"),
                                    alice.entry_id("alice@example.org")],
                                   delete=True), 0, "removing")
    has_members(alice, "Unique", ["Bob Brown"], ["Alice Adams"])
    check("uniqueMember: " + BOB.lower() in
          slapd.search("cn=Unique", "uniqueMember").replace(BOB, BOB.lower()),
          "not in the directory")


def test_certificate(server):
    with open(slapd.path("cert.pem"), encoding="ascii") as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    alice = book_of(server, "alice")
    check_equal(alice.modify_binaries("alice@example.org", CERTIFICATE, [der]),
                0, "publishing")
    check("userCertificate" in slapd.search("uid=alice", "userCertificate"),
          "it isn't in the directory")
    check_equal(alice.modify_binaries("alice@example.org", SMIME_CERTIFICATE,
                                      [b"PKCS#7"]), 0, "S/MIME")
    check_equal(alice.modify_binaries("bob@example.org", CERTIFICATE, [der]),
                ACCESS_DENIED, "somebody else's")
    check("userCertificate" not in slapd.search("uid=bob", "userCertificate"),
          "somebody else's has been changed")
    # what the directory doesn't take
    check_equal(alice.modify_binaries("alice@example.org", CERTIFICATE,
                                      [b"not a certificate"]), ACCESS_DENIED,
                "nonsense")
    check("userCertificate" in slapd.search("uid=alice", "userCertificate"),
          "nonsense has replaced it")
    check_equal(alice.modify_binaries("alice@example.org", CERTIFICATE, []), 0,
                "removing")
    check("userCertificate" not in slapd.search("uid=alice", "userCertificate"),
          "it's still in the directory")


def test_server_gone(server):
    alice = book_of(server, "alice")
    bob = alice.entry_id("bob@example.org")
    slapd.kill()
    check_equal(alice.modify_links("Engineers", MEMBER, [bob]), ACCESS_DENIED,
                "without the server")
    slapd.start()
    check_equal(alice.modify_links("Engineers", MEMBER, [bob]), 0,
                "when it's back")
    slapd.pause()
    check_equal(alice.modify_links("Engineers", MEMBER, [bob], delete=True),
                ACCESS_DENIED, "a server that doesn't answer")
    check_equal(alice.resolve("alice@example.org")[0], [2], "afterwards")
    slapd.resume()


def test_not_allowed(server):
    """Our account may not act for users; writing isn't configured."""
    slapd.modify(f"dn: {READER}\nchangetype: modify\ndelete: authzTo\n")
    alice = book_of(server, "alice")
    carol = alice.entry_id("carol@example.org")
    check_equal(alice.modify_links("Engineers", MEMBER, [carol], delete=True),
                ACCESS_DENIED, "without proxied authorization")
    slapd.modify(f"dn: {READER}\nchangetype: modify\nadd: authzTo\n"
                 f"authzTo: dn.regex:^uid=[^,]+,.*{BASE}$\n")
    ldaplib.stop()
    ldaplib.start(**settings(mapi_ldap_write="no"))
    server.read_env()
    alice = book_of(server, "alice")
    check_equal(alice.modify_links("Engineers", MEMBER, [carol], delete=True),
                ACCESS_DENIED, "without mapi_ldap_write")
    check("Carol Clark" in alice.members("Engineers"), "she's gone")


if __name__ == "__main__":
    slapd = Slapd(os.path.join(os.environ["TEST_TMP"], "slapd"))
    slapd.create(os.path.join(HERE, "data", "addressbook.ldif"))
    slapd.start()
    try:
        slapd.modify(f"dn: {ENGINEERS}\nchangetype: modify\nreplace: owner\n"
                     f"owner: {ALICE}\n")
        ldaplib.start(**settings())
        main()
    finally:
        slapd.resume()
        slapd.stop()
