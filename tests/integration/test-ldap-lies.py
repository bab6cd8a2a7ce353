#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
# may-log: killed with signal 9
"""The address book from LDAP servers that are slow, broken or lying, and from
those that give long attributes in ranges."""

import os
import signal
import socketserver
import threading
import time

import fakeldap
import ldaplib
from nspilib import Book, refresh, status
from readlib import check, check_equal, main, processes, wait_for

PASSWORD = "a secret of the directory"


def person(number, **more):
    attributes = {
        "objectClass": ["inetOrgPerson"], "uid": [f"user{number}"],
        "cn": [f"Person {number}"], "sn": [str(number)],
        "mail": [f"user{number}@example.org"],
        "entryUUID": [number.to_bytes(16, "big")],
    }
    attributes.update(more)
    return f"uid=user{number},dc=example,dc=org", attributes


def group(number, members, **more):
    attributes = {
        "objectClass": ["groupOfNames"], "cn": [f"Group {number}"],
        "mail": [f"group{number}@example.org"], "member": members,
        "entryUUID": [(1000 + number).to_bytes(16, "big")],
    }
    attributes.update(more)
    return f"cn=group{number},dc=example,dc=org", attributes


PEOPLE = [person(number) for number in range(1, 31)]
first, second = fakeldap.FakeLdap(PEOPLE), fakeldap.FakeLdap(PEOPLE)


def resolves(server, *names):
    """For each name: 0 = unknown, 1 = several, 2 = one"""
    book = Book(server)
    book.bind()
    return book.resolve(*names)[0]


def reaches(server, wanted, *names):
    wait_for(f"{names} being {wanted}",
             lambda: resolves(server, *names) == wanted)


def test_pages(server):
    first.page_size = 7
    first.entries = PEOPLE + [person(31)]
    reaches(server, [2, 2], "user1@example.org", "Person 31")
    first.entries = PEOPLE
    reaches(server, [2, 0], "user1@example.org", "Person 31")


def test_ranges(server):
    members = [dn for dn, _ in PEOPLE]
    first.page_size, first.range_size = 10, 4
    first.entries = [group(1, members), group(2, members[:9])] + PEOPLE + \
        [group(3, members[:4])]
    reaches(server, [2, 2, 2], "Group 1", "Group 2", "Group 3")
    book = Book(server)
    book.bind()
    check_equal(len(book.members("Group 1")), 30, "members in 8 ranges")
    check_equal(len(book.members("Group 2")), 9, "members in 3 ranges")
    check_equal(len(book.members("Group 3")), 4, "members in one range")
    check(("cn=group1,dc=example,dc=org", 0, ["member;range=4-*"]) in
          first.searches, "the second range wasn't asked for")
    first.page_size = first.range_size = None


def test_entries(server):
    """Whatever entries are like, those that are good can be found."""
    first.entries = PEOPLE + [
        person(40, cn=[], sn=[]),
        person(41, cn=[b"Invalid \xff\xfe name"]),
        person(42, cn=["\0\1\2Control\ncharacters"]),
        person(43, cn=["x" * 100000], title=["y" * 1000000]),
        person(44, mail=["not an address", "", "user44@example.org"]),
        person(45, mail=["a@b@c\0d", "<>", "@", "x" * 5000 + "@example.org"]),
        person(46, manager=["nonsense", "", b"\xff", "cn=unknown,dc=nowhere"]),
        person(47, jpegPhoto=[b""], userCertificate=[b"", b"\0" * 10]),
        person(48, telephoneNumber=[str(i) for i in range(5000)]),
        person(49, entryUUID=[b"short"]),
        ("", person(50)[1]),
        (b"\xff=\xff,,=,", person(51)[1]),
        ("uid=user1,dc=example,dc=org", person(52)[1]),
        person(53, objectClass=["inetOrgPerson", "groupOfNames"]),
        person(54, **{"cn;lang-de": ["Anders"], ";": ["x"], "": ["y"],
                      "cn;range=x": ["z"], "sn;range=5-2": ["z"]}),
        person(55, **{f"attribute{i}": ["value"] for i in range(5000)}),
        ("dc=nothing", {}),
        group(1, ["cn=group2,dc=example,dc=org"]),
        group(2, ["cn=group3,dc=example,dc=org"]),
        group(3, ["cn=group1,dc=example,dc=org",
                  "cn=group3,dc=example,dc=org", PEOPLE[0][0]]),
        group(4, ["nonsense", "", "cn=,=", PEOPLE[1][0], PEOPLE[1][0]]),
        person(60),
    ]
    reaches(server, [2, 2], "Person 60", "user40@example.org")
    book = Book(server)
    book.bind()
    addresses = [f"user{n}@example.org" for n in (1, 30, 41, 42, 43, 44, 46, 47,
                                                  48, 49, 54, 55)]
    check_equal(book.resolve(*addresses)[0], [2] * len(addresses), "people")
    _, rows = book.resolve("user40@example.org", "user42@example.org")
    check_equal([row[0] for row in rows],
                ["user40@example.org", "Control characters"], "names")
    check_equal(sorted(book.members("Group 3")),
                ["Group 1", "Group 3", "Person 1"], "a loop of groups")
    check_equal(book.members("Group 4"), ["Person 2"], "a member told twice")
    error, _, rows = book.rows(1000)
    check_equal(error, 0, "QueryRows")
    check(all(name for name, _ in rows), "a row without name")
    first.entries = PEOPLE
    reaches(server, [0, 2], "Person 60", "Person 30")


def fails(server, text, **behaviour):
    """The server does this: it's logged, and nothing is lost."""
    for name, value in behaviour.items():
        setattr(first, name, value)
    before = server.log_text().count(text)
    refresh(server)
    wait_for(f"{text!r} in the log",
             lambda: server.log_text().count(text) > before, timeout=20)
    check_equal(resolves(server, "user1@example.org", "Person 30"), [2, 2],
                "people while the server is broken")


def recovers(server):
    first.search_code = first.bind_code = 0
    first.garbage, first.silent, first.endless = None, False, False
    first.page_size = None
    first.entries = PEOPLE + [person(70)]
    refresh(server)
    reaches(server, [2, 2], "user1@example.org", "Person 70")
    first.entries = PEOPLE
    reaches(server, [2, 0], "user1@example.org", "Person 70")


def test_garbage(server):
    # not LDAP; an endless message; a message that's too short; of 4 GB
    for garbage in (b"HTTP/1.1 200 OK\r\n\r\n", b"\x30\x84\0\xff\xff\xff" +
                    b"x" * 100000, b"\x30\x03\x02\x01", b"\x30\x84\xff\xff\xff\xf0",
                    b"\x30\x0c\x02\x01\x03\x64\x07\x04\x02dn\x30\x01\x04"):
        fails(server, "stays as it is", garbage=garbage)
    recovers(server)


def test_search_refused(server):
    first.entries = PEOPLE[:10]
    fails(server, "must allow mapi_ldap_auth_dn to read all",
          search_code=fakeldap.SIZELIMIT)
    fails(server, "Search below 'dc=example,dc=org'", search_code=50)
    recovers(server)


def test_endless_pages(server):
    fails(server, "pages without entries", endless=True, page_size=10)
    recovers(server)


def test_silent(server):
    fails(server, "No answer for 2 seconds", silent=True)
    recovers(server)


def test_password_refused(server):
    fails(server, "Authentication failed",
          bind_code=fakeldap.INVALID_CREDENTIALS)
    check(PASSWORD not in server.log_text(), "the password is in the log")
    check(any(PASSWORD.encode() in (value for _, value in bind)
              for bind in first.binds), "the password wasn't sent")
    recovers(server)


class Echo(socketserver.BaseRequestHandler):
    """As a client that tries to connect to a port at which nobody listens may
    once meet itself"""

    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


def test_echo(server):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        uri = "ldap://127.0.0.1:%d" % echo.server_address[1]
        for starttls in ("no", "yes"):
            ldaplib.stop()
            ldaplib.start(mapi_ldap_uris=uri, mapi_ldap_starttls=starttls,
                          mapi_ldap_auth_dn="cn=dovecot,dc=example,dc=org",
                          mapi_ldap_auth_dn_password=PASSWORD)
            server.read_env()
            wait_for("the error", lambda: f"{uri}: This isn't an LDAP server"
                     in server.log_text())
            check(PASSWORD not in server.log_text(),
                  "the password is in the log")
        echo.shutdown()


def test_fail_over(server):
    ldaplib.stop()
    ldaplib.start(mapi_ldap_uris=f"{first.uri} {second.uri}")
    server.read_env()
    second.entries = PEOPLE + [person(80)]
    first.search_code = 50
    reaches(server, [2], "Person 80")
    for text in (f"{first.uri}: Search", "Trying the next server"):
        server.wait_logged("the first server's refusal", text)
    first.search_code = 0
    reaches(server, [0, 2], "Person 80", "Person 30")
    first.close()
    reaches(server, [2], "Person 80")
    server.wait_logged("the first server's failure",
                       f"{first.uri}: Connecting failed")


def test_sync(server):
    """The cookie is gone on with, and given up if the server says so."""
    second.controls = [fakeldap.SYNC]
    second.entries = PEOPLE + [person(81)]
    second.disconnect()
    reaches(server, [2], "Person 81")
    check_equal(second.cookies, [None], "cookies of the first synchronisation")
    second.entries = PEOPLE
    wait_for("the state being written",
             lambda: "pending=0" in status(server))
    for pid in processes(server, "mapi-directory"):
        os.kill(pid, signal.SIGKILL)
    wait_for("another synchronisation", lambda: len(second.cookies) == 2)
    check_equal(second.cookies[1], b"state 1", "cookie after a restart")
    time.sleep(0.5)
    check_equal(resolves(server, "Person 81", "Person 30"), [2, 2],
                "nothing has changed, said the server")
    second.cookie = b"state 2"
    second.disconnect()
    reaches(server, [0, 2], "Person 81", "Person 30")
    check_equal(second.cookies[2:], [b"state 1", None], "cookies afterwards")
    # offered, but not possible here
    second.entries = PEOPLE + [person(82)]
    second.search_code = 12
    second.disconnect()
    wait_for("another synchronisation", lambda: len(second.cookies) == 5)
    second.search_code = 0
    reaches(server, [2], "Person 82")


if __name__ == "__main__":
    ldaplib.start(mapi_ldap_uris=first.uri,
                  mapi_ldap_auth_dn="cn=dovecot,dc=example,dc=org",
                  mapi_ldap_auth_dn_password=PASSWORD)
    main()
