# SPDX-License-Identifier: LGPL-2.1-or-later
"""An LDAP server that does what it's told, also what no server should do.

Only as much of RFC 4511 as mapi-directory needs. What it does is set by the
attributes of FakeLdap, which tests change as they go.
"""

import contextlib
import socket
import struct
import threading

PAGED = "1.2.840.113556.1.4.319"
SYNC = "1.3.6.1.4.1.4203.1.9.1.1"
SYNC_STATE, SYNC_INFO = "1.3.6.1.4.1.4203.1.9.1.2", "1.3.6.1.4.1.4203.1.9.1.4"
REFRESH_REQUIRED, SIZELIMIT, INVALID_CREDENTIALS = 4096, 4, 49

BIND, SEARCH, UNBIND = 0x60, 0x63, 0x42


# --- BER -----------------------------------------------------------------------
def tlv(tag, *parts):
    data = b"".join(parts)
    size = len(data)
    if size < 128:
        return bytes((tag, size)) + data
    return bytes((tag, 0x84)) + struct.pack(">I", size) + data


def integer(value, tag=2):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value, tag=4):
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def parse(data):
    """[(tag, content)] of what follows one another"""
    found, pos = [], 0
    while pos < len(data):
        tag, size = data[pos], data[pos + 1]
        pos += 2
        if size & 0x80:
            count = size & 0x7f
            size = int.from_bytes(data[pos:pos + count], "big")
            pos += count
        found.append((tag, data[pos:pos + size]))
        pos += size
    return found


def entry_message(dn, attributes):
    return tlv(0x64, octets(dn), tlv(0x30, *(
        tlv(0x30, octets(name), tlv(0x31, *map(octets, values)))
        for name, values in attributes.items())))


def control(oid, value):
    return tlv(0x30, octets(oid), octets(value))


class FakeLdap:
    """Entries are (dn, {attribute: [values]}); DNs, names and values may be any
    bytes."""

    def __init__(self, entries=()):
        self.entries = list(entries)
        self.controls = [PAGED]
        # more than so many values come in ranges as in Active Directory
        self.range_size = None
        self.page_size = None
        # the same cookie for ever, with empty pages
        self.endless = False
        # accepts and reads, says nothing
        self.silent = False
        # result of binds and of searches
        self.bind_code = self.search_code = 0
        # sent instead of the answer to a search, then the end
        self.garbage = None
        # content synchronisation: the cookie that's known; UUIDs are entries'
        # entryUUID
        self.cookie = b"state 1"
        self.searches, self.binds, self.cookies = [], [], []
        self.connections = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = f"ldap://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.append(sock)
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def disconnect(self):
        with self.lock:
            for sock in self.connections:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self.connections = []

    def close(self):
        # accept() in the other thread returns only by this
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.disconnect()

    # --- a connection ----------------------------------------------------------
    def serve(self, sock):
        stream = sock.makefile("rb")
        with contextlib.suppress(OSError, IndexError), sock:
            while True:
                head = stream.read(2)
                size = head[1]
                if size & 0x80:
                    size = int.from_bytes(stream.read(size & 0x7f), "big")
                parts = parse(stream.read(size))
                if self.silent:
                    continue
                tag, body = parts[1]
                controls = {}
                if len(parts) > 2:
                    for _, content in parse(parts[2][1]):
                        fields = parse(content)
                        controls[fields[0][1].decode()] = fields[-1][1]
                if tag == UNBIND:
                    return
                self.answer(sock, parts[0][1], tag, parse(body), controls)

    def send(self, sock, msgid, operation, *controls):
        sock.sendall(tlv(0x30, tlv(2, msgid), operation,
                         tlv(0xa0, *controls) if controls else b""))

    def result(self, sock, msgid, tag, code, *controls):
        self.send(sock, msgid, tlv(tag, integer(code, 10), octets(""),
                                   octets("")), *controls)

    def answer(self, sock, msgid, tag, fields, controls):
        if tag == BIND:
            self.binds.append(fields)
            self.result(sock, msgid, 0x61, self.bind_code)
        elif tag == SEARCH:
            base = fields[0][1].decode()
            names = [name.decode() for _, name in parse(fields[7][1])]
            if base == "":
                self.send(sock, msgid, entry_message(
                    "", {"supportedControl": self.controls}))
                self.result(sock, msgid, 0x65, 0)
                return
            self.searches.append((base, fields[1][1][0], names))
            if self.garbage is not None:
                sock.sendall(self.garbage)
                sock.shutdown(socket.SHUT_RDWR)
            elif SYNC in controls:
                self.sync(sock, msgid, parse(parse(controls[SYNC])[0][1]))
            elif fields[1][1][0] == 0:
                self.read_range(sock, msgid, base, names[0])
            else:
                self.search(sock, msgid, controls)

    # --- searches -----------------------------------------------------------------
    def with_range(self, attributes, name=None, first=0):
        found = {}
        for attr, values in attributes.items():
            if name is not None and attr != name:
                continue
            if self.range_size is None or len(values) <= self.range_size:
                found[attr] = values
                continue
            last = first + self.range_size - 1
            if name is None:
                found[attr] = []
            if last >= len(values) - 1:
                last = "*"
            found[f"{attr};range={first}-{last}"] = \
                values[first:first + self.range_size]
        return found

    def read_range(self, sock, msgid, base, name):
        attr, _, option = name.partition(";range=")
        for dn, attributes in self.entries:
            if dn == base:
                self.send(sock, msgid, entry_message(dn, self.with_range(
                    attributes, attr, int(option.split("-")[0]))))
        self.result(sock, msgid, 0x65, 0)

    def search(self, sock, msgid, controls):
        first, last, reply = 0, len(self.entries), []
        if PAGED in controls and self.page_size is not None:
            cookie = parse(parse(controls[PAGED])[0][1])[1][1]
            first = int(cookie or b"0")
            last = first + self.page_size
            cookie = b"" if last >= len(self.entries) else b"%d" % last
            if self.endless:
                first = last = len(self.entries)
                cookie = b"0"
            reply = [control(PAGED, tlv(0x30, integer(0), octets(cookie)))]
        for dn, attributes in self.entries[first:last]:
            self.send(sock, msgid, entry_message(
                dn, self.with_range(attributes)))
        self.result(sock, msgid, 0x65, self.search_code, *reply)

    def sync(self, sock, msgid, request):
        """With the right cookie nothing has changed; any other isn't known."""
        cookie = request[1][1] if len(request) > 1 else None
        self.cookies.append(cookie)
        if self.search_code != 0:
            self.result(sock, msgid, 0x65, self.search_code)
            return
        if cookie is not None and cookie != self.cookie:
            self.result(sock, msgid, 0x65, REFRESH_REQUIRED)
            return
        for dn, attributes in [] if cookie else self.entries:
            state = tlv(0x30, integer(1, 10), octets(attributes["entryUUID"][0]))
            self.send(sock, msgid, entry_message(dn, attributes),
                      control(SYNC_STATE, state))
        # refreshDelete: what hasn't been told has not changed
        self.send_info(sock, msgid, tlv(0xa1, octets(self.cookie)))

    def send_info(self, sock, msgid, value):
        self.send(sock, msgid, tlv(0x79, octets(SYNC_INFO, 0x80),
                                   octets(value, 0x81)))
