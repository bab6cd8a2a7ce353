#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
"""Autodiscover: from an address and a password to the mailbox."""

import base64
import http.client
import json
import ssl
import xml.etree.ElementTree as ET

from rawmapi import RawMapi
from readlib import check, check_equal, main

PATH = "/autodiscover/autodiscover.xml"
REQUEST_NS = ("http://schemas.microsoft.com/exchange/autodiscover/outlook/"
              "requestschema/2006")
RESPONSE_NS = ("http://schemas.microsoft.com/exchange/autodiscover/outlook/"
               "responseschema/2006a")
A = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
R = "{" + RESPONSE_NS + "}"


def request(server, method, path, body=None, user=None, password=None):
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    conn = http.client.HTTPSConnection(
        "localhost", int(server.env["HTTPS_PORT"]), context=context, timeout=30)
    fields = {"Content-Type": "text/xml"}
    if user is not None:
        fields["Authorization"] = "Basic " + base64.b64encode(
            f"{user}:{password or server.password}".encode()).decode()
    conn.request(method, path, body, fields)
    response = conn.getresponse()
    data = response.read()
    conn.close()
    return response, data


def pox(inner, schema=RESPONSE_NS):
    return (f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="'
            f'{REQUEST_NS}"><Request>{inner}<AcceptableResponseSchema>{schema}'
            "</AcceptableResponseSchema></Request></Autodiscover>").encode()


def ask(server, body, user=None, path=PATH):
    response, data = request(server, "POST", path, body,
                             user or server.users[0])
    check_equal(response.status, 200, "status")
    check_equal(response.headers["Content-Type"], "text/xml; charset=utf-8",
                "Content-Type")
    return ET.fromstring(data)


def error_code(root):
    return root.findtext(f"{A}Response/{A}Error/{A}ErrorCode")


def test_by_address(server):
    for address in ("alice@example.org", "ALICE@Example.ORG",
                    "sales@example.org"):
        root = ask(server, pox(f"<EMailAddress>{address}</EMailAddress>"))
        user = root.find(f"{R}Response/{R}User")
        check_equal(user.findtext(f"{R}DisplayName"), "Alice Adams", address)
        check_equal(user.findtext(f"{R}AutoDiscoverSMTPAddress"),
                    "alice@example.org", address)
        protocols = root.findall(f"{R}Response/{R}Account/{R}Protocol")
        check_equal([p.attrib for p in protocols],
                    [{"Type": "mapiHttp", "Version": "1"}], "protocols")
    # what it says is enough for a session
    dn = user.findtext(f"{R}LegacyDN")
    check_equal(dn, server.env["TEST_DN"], "LegacyDN")
    url = protocols[0].findtext(f"{R}MailStore/{R}ExternalUrl")
    check(url.startswith("https://localhost:%s/mapi/emsmdb/?MailboxId=" %
                         server.env["HTTPS_PORT"]), url)
    book = protocols[0].findtext(f"{R}AddressBook/{R}ExternalUrl")
    check("/mapi/nspi/?MailboxId=" in book, book)
    raw = RawMapi(server)
    raw.path = url[url.index("/mapi/"):]
    answer = raw.request("Connect", dn.encode() + b"\0" + b"\0" * 20)
    check_equal(answer.code, 0, "Connect to the URL with the DN")
    again = ask(server, pox(f"<LegacyDN>{dn.upper()}</LegacyDN>"))
    check_equal(again.findtext(f"{R}Response/{R}User/{R}DisplayName"),
                "Alice Adams", "by LegacyDN")


def test_others(server):
    root = ask(server, pox("<EMailAddress>bob@example.org</EMailAddress>"))
    check_equal(root.findtext(f"{R}Response/{R}User/{R}DisplayName"),
                "Bob Brown", "another mailbox")
    for address, code in (
            ("nobody@example.org", "500"), ("x", "500"),
            # known, but not as a mailbox here
            ("dora@partner.example", "501"), ("engineers@example.org", "501")):
        root = ask(server, pox(f"<EMailAddress>{address}</EMailAddress>"))
        check_equal(error_code(root), code, address)


def test_redirect(server):
    """An address of ours whose mail goes elsewhere"""
    root = ask(server, pox("<EMailAddress>partners@example.org</EMailAddress>"))
    account = root.find(f"{R}Response/{R}Account")
    check_equal([(e.tag, e.text) for e in account],
                [(f"{R}Action", "redirectAddr"),
                 (f"{R}RedirectAddr", "dora@partner.example")], "Account")


def test_errors(server):
    body = pox("<EMailAddress>alice@example.org</EMailAddress>",
               schema="http://example.org/other")
    check_equal(error_code(ask(server, body)), "601", "another schema")
    bomb = b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 1000 + b'">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10)
        for i in range(9)) + b"]>"
    good = pox("<EMailAddress>alice@example.org</EMailAddress>")
    for name, bad in (
            ("empty", b""), ("no XML", b"hello"), ("no address", pox("")),
            ("cut", good[:-20]),
            ("billion laughs", bomb + pox("<EMailAddress>&j;</EMailAddress>")),
            ("a DTD", b"<!DOCTYPE a>" + good[38:]),
            ("deep", b"<a>" * 50000),
            ("wrong encoding", good.replace(b"alice", b"\xff\xfe")),
            ("unknown encoding", good.replace(b"utf-8", b"x-nix")),
            ("long address", pox("<EMailAddress>" + "a" * 5000 +
                                 "@example.org</EMailAddress>")),
            ("another namespace", good.replace(b"requestschema", b"other"))):
        check_equal(error_code(ask(server, bad)), "600", name)
    # it goes on
    check(error_code(ask(server, good)) is None, "a good request failed")


def test_http(server):
    body = pox("<EMailAddress>alice@example.org</EMailAddress>")
    for method in ("GET", "POST"):
        response, _ = request(server, method, PATH,
                              body if method == "POST" else None)
        check_equal(response.status, 401, f"{method} without a password")
        check(response.headers["WWW-Authenticate"] is not None, "challenge")
    response, _ = request(server, "POST", PATH, body, server.users[0], "wrong")
    check_equal(response.status, 401, "wrong password")
    root = ask(server, body, path="/AutoDiscover/AutoDiscover.XML")
    check(error_code(root) is None, "a path with capitals")
    response, data = request(server, "GET", PATH, None, server.users[0])
    check_equal(response.status, 200, "GET without a body")
    check_equal(error_code(ET.fromstring(data)), "600", "GET without a body")
    response, _ = request(server, "GET", "/autodiscover/other.xml", None,
                          server.users[0])
    check_equal(response.status, 404, "another path")


def test_json(server):
    path = "/autodiscover/autodiscover.json"
    response, data = request(server, "GET",
                             path + "?Email=a@b.c&Protocol=AutodiscoverV1")
    check_equal(response.status, 200, "status")
    check_equal(json.loads(data), {
        "Protocol": "AutodiscoverV1",
        "Url": f"https://localhost:{server.env['HTTPS_PORT']}{PATH}"}, "JSON")
    for query, code in (("", "MandatoryParameterMissing"),
                        ("?Protocol=", "MandatoryParameterMissing"),
                        ("?Protocol=Rest", "ProtocolNotSupported"),
                        ("?protocol=%22%3Cx", "ProtocolNotSupported")):
        response, data = request(server, "GET", path + query)
        check_equal((response.status, json.loads(data)["ErrorCode"]),
                    (400, code), query)
    response, data = request(
        server, "GET", "/Autodiscover/Autodiscover.json/v1.0/a@b.c"
        "?Protocol=autodiscoverv1")
    check_equal(response.status, 200, "v1.0")


if __name__ == "__main__":
    main()
