#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
"""The address book from OpenLDAP: changes as they happen; killed, stopped and
started again; TLS, SASL; without synchronisation; other schemas."""

import contextlib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.environ["TESTS"]))

import ldaplib
from nspilib import Book, status
from readlib import check, check_equal, main, wait_for
from slapdlib import BASE, HERE, PASSWORD, READER, Slapd

PEOPLE = f"ou=People,{BASE}"


def make(name, ldif="addressbook.ldif", **options):
    slapd = Slapd(os.path.join(os.environ["TEST_TMP"], name))
    slapd.create(os.path.join(HERE, "data", ldif), **options)
    slapd.start()
    return slapd


def credentials(slapd):
    return {"mapi_ldap_uris": slapd.url, "mapi_ldap_auth_dn": READER,
            "mapi_ldap_auth_dn_password": PASSWORD,
            "ssl_client_ca_file": slapd.path("cert.pem")}


def restart(server, **settings):
    ldaplib.stop()
    ldaplib.start(**settings)
    server.read_env()


def fresh(server, **settings):
    """Without what is in the cache"""
    ldaplib.stop()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(server.dir, "directory", "snapshot"))
    ldaplib.start(**settings)
    server.read_env()


def resolves(server, *names):
    book = Book(server)
    book.bind()
    return book.resolve(*names)[0]


def reaches(server, wanted, *names):
    start = time.monotonic()
    wait_for(f"{names} being {wanted}",
             lambda: resolves(server, *names) == wanted)
    return time.monotonic() - start


def add(slapd, name, **more):
    slapd.modify(f"dn: uid={name},{PEOPLE}\nchangetype: add\n"
                 f"objectClass: inetOrgPerson\ncn: {name} New\nsn: New\n"
                 f"uid: {name}\nmail: {name}@example.org\n" +
                 "".join(f"{key}: {value}\n" for key, value in more.items()))


def delete(slapd, name):
    slapd.modify(f"dn: uid={name},{PEOPLE}\nchangetype: delete\n")


def test_changes(server):
    reaches(server, [2, 2, 0], "Alice Adams", "Engineers", "Zacharias")
    add(slapd, "zacharias")
    reaches(server, [2], "Zacharias")
    book = Book(server)
    book.bind()
    members = book.members("Engineers")
    slapd.modify(f"dn: cn=engineers,ou=Groups,{BASE}\nchangetype: modify\n"
                 f"add: member\nmember: uid=zacharias,{PEOPLE}\n")
    wait_for("the new member",
             lambda: len(book.members("Engineers")) == len(members) + 1)
    slapd.modify(f"dn: uid=zacharias,{PEOPLE}\nchangetype: modify\n"
                 "replace: cn\ncn: Barbara Renamed\n")
    reaches(server, [2], "Barbara Renamed")
    # it's another object then, of which the group has lost sight
    slapd.modify(f"dn: uid=zacharias,{PEOPLE}\nchangetype: modrdn\n"
                 "newrdn: uid=barbara\ndeleteoldrdn: 1\n")
    wait_for("the member being gone",
             lambda: len(book.members("Engineers")) == len(members))
    check_equal(resolves(server, "Barbara Renamed"), [2], "renamed")
    # no address: not of the address book any more
    slapd.modify(f"dn: uid=barbara,{PEOPLE}\nchangetype: modify\n"
                 "delete: mail\n")
    reaches(server, [0], "Barbara Renamed")
    slapd.modify(f"dn: uid=barbara,{PEOPLE}\nchangetype: modify\n"
                 "add: mail\nmail: barbara@example.org\n")
    reaches(server, [2], "Barbara Renamed")
    delete(slapd, "barbara")
    reaches(server, [0, 2], "Barbara Renamed", "Alice Adams")


def test_killed(server):
    """Nothing is lost, and what has changed meanwhile isn't missed."""
    slapd.kill()
    wait_for("the error", lambda: "stays as it is" in server.log_text())
    check_equal(resolves(server, "Alice Adams"), [2], "without slapd")
    slapd.start()
    add(slapd, "meanwhile")
    reaches(server, [2], "Meanwhile New")
    slapd.stop()
    check_equal(resolves(server, "Meanwhile New"), [2], "without slapd")
    # a restart without the directory has the last state from the cache
    restart(server, **credentials(slapd))
    check_equal(resolves(server, "Meanwhile New", "Alice Adams"), [2, 2],
                "from the cache")
    slapd.start()
    delete(slapd, "meanwhile")
    reaches(server, [0, 2], "Meanwhile New", "Alice Adams")


def test_restarted(server):
    """Only changes are read, also those from before the start."""
    ldaplib.stop()
    add(slapd, "stopped")
    alice = f"uid=alice,ou=Sales,{PEOPLE}"
    slapd.modify(f"dn: {alice}\nchangetype: modify\nreplace: title\n"
                 "title: Changed\n")
    ldaplib.start(**credentials(slapd))
    server.read_env()
    reaches(server, [2, 2], "Stopped New", "Alice Adams")
    server.wait_logged("that just the changes have been written", "2 changes,")
    ldaplib.stop()
    delete(slapd, "stopped")
    ldaplib.start(**credentials(slapd))
    server.read_env()
    reaches(server, [0, 2], "Stopped New", "Alice Adams")


def test_stopped(server):
    """A server that doesn't answer keeps nobody waiting."""
    slapd.pause()
    start = time.monotonic()
    check_equal(resolves(server, "Alice Adams"), [2], "a name")
    restart(server, **credentials(slapd))
    check_equal(resolves(server, "Alice Adams"), [2], "after a restart")
    check("+" == status(server)[0], "mapi-directory doesn't answer")
    check(time.monotonic() - start < 10, "it has waited for slapd")
    wait_for("the timeout", lambda: "No answer for 2 seconds" in
             server.log_text())
    slapd.resume()
    add(slapd, "resumed")
    reaches(server, [2], "Resumed New")
    delete(slapd, "resumed")
    reaches(server, [0], "Resumed New")


def test_tls(server):
    ca = slapd.path("cert.pem")
    bind = dict(credentials(slapd), ssl_client_ca_file=ca)
    fresh(server, **dict(bind, mapi_ldap_uris=slapd.ldaps_url))
    reaches(server, [2], "Alice Adams")
    fresh(server, **dict(bind, mapi_ldap_starttls="yes"))
    reaches(server, [2], "Alice Adams")
    # a certificate of somebody else
    other = os.path.join(server.dir, "cert.pem")
    for change in ({"mapi_ldap_uris": slapd.ldaps_url},
                   {"mapi_ldap_starttls": "yes"}):
        fresh(server, **dict(bind, ssl_client_ca_file=other, **change))
        wait_for("the certificate being refused", lambda: "certificate" in
                 server.log_text())
        check("-" == status(server)[0], "it has read the directory")
        fresh_settings = dict(bind, ssl_client_ca_file=other,
                              ssl_client_require_valid_cert="no", **change)
        restart(server, **fresh_settings)
        reaches(server, [2], "Alice Adams")
    check(PASSWORD not in server.log_text(), "the password is in the log")


def test_sasl(server):
    if os.getuid() != 0:
        # as root, mapi-directory runs as another user than slapd expects
        fresh(server, mapi_ldap_uris=slapd.ldapi_url,
              mapi_ldap_sasl_mechanism="EXTERNAL")
        reaches(server, [2], "Alice Adams")
    fresh(server, mapi_ldap_uris=slapd.url, mapi_ldap_auth_dn="dovecot",
          mapi_ldap_auth_dn_password=PASSWORD,
          mapi_ldap_sasl_mechanism="DIGEST-MD5")
    reaches(server, [2], "Alice Adams")
    restart(server, mapi_ldap_uris=slapd.url, mapi_ldap_auth_dn="dovecot",
            mapi_ldap_auth_dn_password="wrong",
            mapi_ldap_sasl_mechanism="DIGEST-MD5")
    wait_for("the refusal", lambda: "Authentication failed" in
             server.log_text())
    check_equal(resolves(server, "Alice Adams"), [2], "from the cache")
    restart(server, mapi_ldap_uris=slapd.url, mapi_ldap_auth_dn="dovecot",
            mapi_ldap_sasl_mechanism="NO-SUCH-MECHANISM")
    wait_for("the error", lambda: "Authentication failed" in
             server.log_text())


def test_settings_changed(server):
    """A cookie of another filter would hide what is new by this one."""
    settings = credentials(slapd)
    fresh(server, mapi_ldap_filter="(uid=alice)", **settings)
    reaches(server, [2, 0], "Alice Adams", "Engineers")
    restart(server, **settings)
    reaches(server, [2, 2], "Alice Adams", "Engineers")
    server.wait_logged("the reason", "Settings have changed")
    restart(server, mapi_directory_attributes="PidTagTitle=uid", **settings)
    wait_for("the directory being read", lambda: "Address book written" in
             server.log_text())


def test_polled(server):
    other = make("plain", syncprov=False)
    try:
        fresh(server, **credentials(other))
        reaches(server, [2, 2], "Alice Adams", "Engineers")
        check("Following" not in server.log_text(), "it's synchronised")
        add(other, "polled")
        reaches(server, [2], "Polled New")
        delete(other, "polled")
        reaches(server, [0, 2], "Polled New", "Alice Adams")
        # who insists on synchronisation is told
        restart(server, mapi_ldap_follow="sync", **credentials(other))
        wait_for("the error", lambda: "Synchronisation has ended" in
                 server.log_text())
    finally:
        other.stop()


def test_limit(server):
    """Entries that can't be read aren't taken for entries that are gone."""
    other = make("limited", syncprov=False, reader_limit="5")
    try:
        restart(server, mapi_ldap_follow="poll", **credentials(other))
        wait_for("the error", lambda: "to read all entries" in
                 server.log_text())
        check_equal(resolves(server, "Alice Adams", "Engineers"), [2, 2],
                    "what has been read before")
    finally:
        other.stop()


def test_active_directory(server):
    other = make("ad", "ad.ldif")
    try:
        fresh(server, mapi_directory_preset="ad", **credentials(other))
        reaches(server, [2], "Lovelace, Ada")
        check_equal(resolves(server, "countess@example.org", "charles@example.org",
                             "engineers@example.org", "mary@example.net",
                             "room@example.org", "Service", "Babbage"),
                    [2, 2, 2, 2, 2, 0, 2], "names")
        book = Book(server)
        book.bind()
        check_equal(sorted(book.members("Engineers")),
                    ["Babbage, Charles", "Lovelace, Ada"], "members")
        check_equal(book.legacy_dn("ada@example.org"),
                    "/o=Old/ou=Exchange Administrative Group "
                    "(FYDIBOHF23SPDLT)/cn=Recipients/cn=ada", "legacyExchangeDN")
    finally:
        other.stop()


def test_freeipa(server):
    other = make("freeipa", "freeipa.ldif")
    try:
        fresh(server, mapi_directory_preset="freeipa", **credentials(other))
        reaches(server, [2, 2, 0], "Grace Hopper", "compilers",
                "Nobody Reaches")
        book = Book(server)
        book.bind()
        check_equal(book.members("compilers"), ["Grace Hopper"], "members")
    finally:
        other.stop()


if __name__ == "__main__":
    slapd = make("slapd")
    try:
        ldaplib.start(**credentials(slapd))
        main()
    finally:
        slapd.resume()
        slapd.stop()
