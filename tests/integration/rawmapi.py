# SPDX-License-Identifier: LGPL-2.1-or-later
"""MAPI/HTTP by hand: for bytes that no proper client sends."""

import base64
import http.client
import ssl
import struct
import uuid

ROP_RELEASE, ROP_OPEN_FOLDER, ROP_OPEN_MESSAGE = 0x01, 0x02, 0x03
ROP_HIERARCHY_TABLE, ROP_CONTENTS_TABLE, ROP_GET_PROPS = 0x04, 0x05, 0x07
ROP_GET_PROPS_ALL = 0x08
ROP_SET_COLUMNS, ROP_SORT, ROP_RESTRICT, ROP_QUERY_ROWS = 0x12, 0x13, 0x14, 0x15
ROP_SEEK_ROW, ROP_FIND_ROW, ROP_OPEN_STREAM, ROP_READ_STREAM = \
    0x18, 0x4F, 0x2B, 0x2C
ROP_LOGON, ROP_BUFFER_TOO_SMALL = 0xFE, 0xFF

EC_NULL_OBJECT = 0x4B9
EC_RPC_FORMAT = 0x4B6
EC_INVALID_PARAMETER = 0x80070057
EC_NOT_SUPPORTED = 0x80040102
EC_TOO_COMPLEX = 0x80040117
EC_NOT_FOUND = 0x8004010F
EC_BAD_VALUE = 0x80040301


class Answer:
    """HTTP status, X-ResponseCode (None without), headers, body after the
    meta-tags; of an Execute also error, rops and handles."""

    def __init__(self, response, data):
        self.status = response.status
        self.headers = response.headers
        code = response.headers.get("X-ResponseCode")
        self.code = None if code is None else int(code)
        self.body = data
        if self.code == 0 and data.startswith(b"PROCESSING"):
            done = data.index(b"DONE\r\n")
            end = data.index(b"\r\n\r\n", done)
            self.body = data[end + 4:]
        self.error = None
        self.rops, self.handles = b"", []

    def parse_execute(self):
        status, error, _, size = struct.unpack_from("<IIII", self.body)
        self.error = status or error
        if self.error != 0:
            return self
        data = self.body[16:16 + size]
        pos = 0
        while pos < len(data):
            _, flags, length, actual = struct.unpack_from("<HHHH", data, pos)
            payload = data[pos + 8:pos + 8 + length]
            if flags & 1:
                raise ValueError("compressed although not wanted")
            if flags & 2:
                payload = bytes(b ^ 0xA5 for b in payload)
            rop_size = struct.unpack_from("<H", payload)[0]
            self.rops += payload[2:rop_size]
            table = payload[rop_size:]
            self.handles = list(struct.unpack(f"<{len(table) // 4}I", table))
            pos += 8 + length
            if flags & 4:
                break
        return self

    def return_value(self, offset=0):
        """ReturnValue of the ROP response that begins at offset."""
        return struct.unpack_from("<I", self.rops, offset + 2)[0]


def rpc_ext(payload, flags=4, size=None, actual=None):
    size = len(payload) if size is None else size
    actual = len(payload) if actual is None else actual
    return struct.pack("<HHHH", 0, flags, size & 0xffff,
                       actual & 0xffff) + payload


def rop_buffer(rops, handles, rop_size=None):
    size = len(rops) + 2 if rop_size is None else rop_size
    return struct.pack("<H", size & 0xffff) + rops + \
        struct.pack(f"<{len(handles)}I", *handles)


def execute_body(buffer, flags=3, max_out=0x10008, size=None):
    size = len(buffer) if size is None else size
    return struct.pack("<II", flags, size) + buffer + \
        struct.pack("<II", max_out, 0)


class RawMapi:
    """One connection and what it remembers of its session."""

    path = "/mapi/emsmdb/"

    def __init__(self, server, user=None, password=None, timeout=20):
        self.server = server
        self.user = user or server.users[0]
        self.password = password or server.password
        context = ssl.create_default_context(cafile=server.env["TEST_CA"])
        self.http = http.client.HTTPSConnection(
            "localhost", int(server.env["HTTPS_PORT"]), context=context,
            timeout=timeout)
        self.cookies = {}
        self.guid = "{%s}" % str(uuid.uuid4()).upper()
        self.counter = 0
        self.logon_ids = []
        self.response_flags = 0

    def close(self):
        self.http.close()

    def dn(self):
        return ("/o=Devserver/ou=Exchange Administrative Group "
                f"(FYDIBOHF23SPDLT)/cn=Recipients/cn={self.user}")

    def request(self, kind, body, headers=()):
        """headers: pairs that replace the usual ones; None leaves out."""
        self.counter += 1
        auth = base64.b64encode(
            f"{self.user}:{self.password}".encode()).decode()
        ident = f"{self.guid}:{self.counter}"
        fields = {"Authorization": "Basic " + auth,
                  "Content-Type": "application/mapi-http",
                  "X-RequestType": kind, "X-RequestId": ident,
                  "X-ClientInfo": ident,
                  "X-ClientApplication": "Outlook/16.0.4266.1001"}
        if self.cookies:
            fields["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self.cookies.items())
        for name, value in headers:
            if value is None:
                fields.pop(name, None)
            else:
                fields[name] = value
        self.http.request("POST", self.path, body, fields)
        response = self.http.getresponse()
        answer = Answer(response, response.read())
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def connect(self):
        body = self.dn().encode() + b"\0" + \
            struct.pack("<IIIII", 0, 1252, 1033, 1033, 0)
        answer = self.request("Connect", body)
        status = struct.unpack_from("<II", answer.body) \
            if answer.code == 0 else None
        if status != (0, 0):
            raise ValueError(f"Connect: HTTP {answer.status}, "
                             f"X-ResponseCode {answer.code}, {status}")
        return answer

    def execute(self, rops, handles):
        """ROPs that are framed as they should be."""
        answer = self.request("Execute", execute_body(
            rpc_ext(rop_buffer(rops, handles))))
        if answer.code != 0:
            return answer
        return answer.parse_execute()

    def logon(self):
        """Returns the logon's handle; logon_ids are its folder ids,
        response_flags its ResponseFlags."""
        dn = self.dn().encode() + b"\0"
        answer = self.execute(
            struct.pack("<BBBBIIH", ROP_LOGON, 0, 0, 1, 0x0100000C, 0,
                        len(dn)) + dn, [0xffffffff])
        if answer.code != 0 or answer.error or answer.return_value() != 0:
            raise ValueError(f"RopLogon: {answer.code} {answer.error} "
                             f"{answer.rops.hex()}")
        self.logon_ids = [answer.rops[7 + i * 8:15 + i * 8]
                          for i in range(13)]
        self.response_flags = answer.rops[111]
        return answer.handles[0]

    def start(self):
        self.connect()
        return self.logon()

    def open_folder(self, logon, fid):
        answer = self.execute(
            struct.pack("<BBBB", ROP_OPEN_FOLDER, 0, 0, 1) + fid + b"\0",
            [logon, 0xffffffff])
        if answer.return_value() != 0:
            raise ValueError(f"RopOpenFolder: 0x{answer.return_value():x}")
        return answer.handles[1]

    def contents_table(self, folder):
        answer = self.execute(
            struct.pack("<BBBBB", ROP_CONTENTS_TABLE, 0, 0, 1, 0),
            [folder, 0xffffffff])
        if answer.return_value() != 0:
            raise ValueError(f"RopGetContentsTable: "
                             f"0x{answer.return_value():x}")
        return answer.handles[1]

    def inbox_table(self):
        """Session, logon, Inbox, table: returns (logon, folder, table)."""
        logon = self.start()
        folder = self.open_folder(logon, self.logon_ids[4])
        return logon, folder, self.contents_table(folder)

    def alive(self, logon):
        """The session still answers a proper request."""
        return self.logon_value(logon) == 0

    def logon_value(self, logon):
        """What a proper request on the logon returns; None if the Execute as a
        whole fails."""
        answer = self.execute(
            struct.pack("<BBBHHHI", ROP_GET_PROPS, 0, 0, 0, 1, 1,
                        0x0FFE0003), [logon])
        if answer.code != 0 or answer.error != 0:
            return None
        return answer.return_value()
