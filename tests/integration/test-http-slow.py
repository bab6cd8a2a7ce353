#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: http-slow.conf
"""Clients that send a byte now and then are given up at last, and before that
when others need their place."""

import base64
import socket
import ssl
import threading
import time

import readlib
from rawmapi import RawMapi
from readlib import check, check_equal


def tls(server, timeout=100):
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    sock = socket.create_connection(
        ("localhost", int(server.env["HTTPS_PORT"])), timeout=timeout)
    return context.wrap_socket(sock, server_hostname="localhost")


def trickle(sock, results, name):
    """Sends a byte each second; how long the server bears it."""
    start = time.monotonic()
    sock.settimeout(1)
    try:
        while time.monotonic() - start < 90:
            sock.sendall(b"x")
            try:
                if sock.recv(1000) == b"":
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                pass
    except OSError:
        pass
    results[name] = time.monotonic() - start
    sock.close()


def test_trickle(server):
    header, body = tls(server), tls(server)
    header.sendall(b"POST /mapi/emsmdb/ HTTP/1.1\r\nHost: localhost\r\nX: ")
    auth = base64.b64encode(
        f"{server.users[0]}:{server.password}".encode()).decode()
    body.sendall((
        "POST /mapi/emsmdb/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Basic {auth}\r\nX-RequestType: Connect\r\n"
        "X-RequestId: a:1\r\nX-ClientInfo: a:1\r\n"
        "Content-Type: application/mapi-http\r\n"
        "Content-Length: 100000\r\n\r\n").encode())
    silent = socket.create_connection(
        ("localhost", int(server.env["HTTPS_PORT"])), timeout=100)
    results = {}
    threads = [threading.Thread(target=trickle, args=(sock, results, name))
               for name, sock in (("header", header), ("body", body))]
    for thread in threads:
        thread.start()
    start = time.monotonic()
    check_equal(silent.recv(100), b"", "the silent one got")
    results["silent"] = time.monotonic() - start
    for thread in threads:
        thread.join()
    for name, low, high in (("silent", 20, 45), ("header", 20, 45),
                            ("body", 50, 80)):
        check(low < results[name] < high, f"{name}: {results[name]:.0f} s")


def test_place_for_others(server):
    """client_limit = 20 and process_limit = 1 in http-slow.conf"""
    raw = RawMapi(server)
    logon = raw.start()
    slow = [tls(server) for _ in range(40)]
    other = RawMapi(server, server.users[1])
    check(other.alive(other.start()), "no place for another client")
    again = RawMapi(server)
    again.cookies = dict(raw.cookies)
    check(again.alive(logon), "the session is gone")
    for sock in slow:
        sock.close()
    for conn in (raw, other, again):
        conn.close()


if __name__ == "__main__":
    readlib.main()
