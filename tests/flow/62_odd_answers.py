# SPDX-License-Identifier: Apache-2.0
"""What an odd answer becomes: one meaning, a page, or a cut. The table of
docs/HTTP.md, section 3, driven by clients of either version of HTTP, from origins
of HTTP/1.1 (as bytes) and HTTP/2 (as frames)."""
import functools
import gzip
import pathlib
import subprocess
import zlib

from h2 import DATA, END_HEADERS, END_STREAM, HEADERS, Origin, block, frame
from lab import CITY, Lab, read_head, wait_until

HEADER_TABLE_SIZE, FRAME_MAX = 1, 16384
TEXT = b"what the filter reads is what the browser shows. " * 40
GZ = gzip.compress(TEXT, mtime=0)
ZLIB = zlib.compress(TEXT)
BAD_CRC = GZ[:-8] + bytes(4) + GZ[-4:]
BAD_SIZE = GZ[:-4] + b"\1\0\0\0"
BAD_HEADER = GZ[:3] + b"\xe0" + GZ[4:]  # reserved flags
NAMED = GZ[:3] + b"\x08" + GZ[4:10] + b"name.txt\0" + GZ[10:]
# TEXT, as the tools of the two write it.
BROTLI = bytes.fromhex("1ba7073814a1d213246d0e36e080bd5f3699c4ae198c60038eb0305a44a7a259dc9a32f50d3de602")
ZSTD = bytes.fromhex("28b52ffd04687501008282080dd03d802480562c5940c244690187edb4bdd276aa7cef3b"
                     "417a25c6ab93f139ac0302007453f56bac4d3c735aadfe")
LONG = gzip.compress(b"".join(b"%x " % (n * 2654435761) for n in range(9000)), mtime=0)
BOMB = gzip.compress(bytes(8 << 20), 9)
RAW = zlib.compressobj(wbits=-15)
RAW = RAW.compress(TEXT) + RAW.flush()


class Case:
    """What the origin sends, and what becomes of it. `bytes`: of HTTP/1.1 alone;
    else a status, fields and a body that either version can carry."""

    def __init__(self, name, sent=None, status=200, fields=(), body=b"ok", length=None,
                 ask=(), method="GET", end=False, frames=None, **want):
        self.name, self.sent, self.frames = name, sent, frames
        self.status, self.fields, self.body, self.length = status, fields, body, length
        self.ask, self.method, self.end = ask, method, end
        self.why, self.cut, self.told = want.get("why"), want.get("cut"), want.get("told", (None,))
        self.gets, self.has = want.get("gets", body), dict(want.get("has", {}))
        self.becomes = want.get("becomes", status)

    def as_bytes(self):
        if self.sent is not None:
            return self.sent
        head = f"HTTP/1.1 {self.status} Odd\r\n" + "".join(f"{n}: {v}\r\n" for n, v in self.fields)
        if self.length == "unknown":
            chunks = b"%x\r\n%s\r\n" % (len(self.body), self.body) if self.body else b""
            return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        n = len(self.body) if self.length is None else self.length
        return head.encode() + b"Content-Length: %d\r\n\r\n" % n + self.body

    def as_frames(self, stream):
        if self.frames is not None:
            return self.frames(stream)
        fields = [(":status", str(self.status)), *((n.lower(), v) for n, v in self.fields)]
        if self.length != "unknown":
            n = len(self.body) if self.length is None else self.length
            fields.append(("content-length", str(n)))
        if self.method == "HEAD":
            return frame(HEADERS, END_HEADERS | END_STREAM, stream, block(*fields))
        pieces = [self.body[n:n + FRAME_MAX] for n in range(0, len(self.body), FRAME_MAX)]
        return frame(HEADERS, END_HEADERS, stream, block(*fields)) + \
            b"".join(frame(DATA, 0, stream, p) for p in pieces) + frame(DATA, END_STREAM, stream)


def coded(name, value, body=GZ, **want):
    """The same with a length and without."""
    lines = [value] if isinstance(value, str) else value
    fields = [("Content-Type", "text/plain"), *(("Content-Encoding", v) for v in lines)]
    return [Case(f"{name}, {length or 'length known'}", fields=fields, body=body, length=length,
                 **want) for length in (None, "unknown")]


def part(name, content_range, body=b"0123", asked="bytes=0-3", more=(), **want):
    fields = [*((("Content-Range", content_range),) if content_range else ()), *more]
    ask = [f"Range: {asked}"] if asked else []
    return Case(f"206: {name}", status=206, fields=fields, body=body, ask=ask, **want)


OK = b"HTTP/1.1 200 OK\r\n"
NUMBER, TWICE = "Content-Length is no number", "Content-Length twice, or with Transfer-Encoding"
CHUNKED, SIZE = "Transfer-Encoding is not chunked", "a chunk's size is no number"
LF, CR = "a line feed without carriage return", "a bare carriage return"
CONTROL, MALFORMED = "a control character", "a field is malformed"
SHORT = "the origin closed before its answer was complete"
NO_ANSWER, VERSION = "no HTTP answer", "HTTP version is not 1.0 or 1.1"
UNKNOWN, SEVERAL = "a content coding that is not known", "more than one content coding"
CUT_SHORT, BEHIND = "the coded body is cut short", "bytes behind the end of the coded body"
DAMAGED = "the coded body is damaged"
LIBRARY = (CONTROL, LF, CR, NO_ANSWER)  # whichever looks first
NO_STATUS = "no status code"
MEANS = "a trailer that means something"

FRAMING = [
    Case("plain", has={"content-length": "2"}),
    Case("a length twice", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", why=TWICE),
    Case("two lengths", OK + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\nok", why=TWICE),
    Case("a list of lengths", OK + b"Content-Length: 2, 2\r\n\r\nok", why=NUMBER),
    Case("an empty length", OK + b"Content-Length:\r\n\r\nok", why=NUMBER),
    Case("a signed length", OK + b"Content-Length: +2\r\n\r\nok", why=NUMBER),
    Case("a negative length", OK + b"Content-Length: -2\r\n\r\nok", why=NUMBER),
    Case("a length in quotes", OK + b'Content-Length: "2"\r\n\r\nok', why=NUMBER),
    Case("a hexadecimal length", OK + b"Content-Length: 0x2\r\n\r\nok", why=NUMBER),
    Case("a length with a unit", OK + b"Content-Length: 2 bytes\r\n\r\nok", why=NUMBER),
    Case("a length past 63 bits", OK + b"Content-Length: 9223372036854775808\r\n\r\nok", why=NUMBER),
    Case("a length past 64 bits", OK + b"Content-Length: 18446744073709551618\r\n\r\nok",
         why=NUMBER),
    Case("zeros before the length", OK + b"Content-Length: 0002\r\n\r\nok", gets=b"ok",
         has={"content-length": "2"}),
    Case("length and chunks", OK + b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"2\r\nok\r\n0\r\n\r\n", why=TWICE),
    Case("chunks and length", OK + b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n"
         b"2\r\nok\r\n0\r\n\r\n", why=TWICE),
    Case("length and identity", OK + b"Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\nok",
         why=TWICE),
    Case("chunks of HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"2\r\nok\r\n0\r\n\r\n", why="Transfer-Encoding in HTTP/1.0"),
    *(Case(f"transfer coding {coding!r}", OK + b"Transfer-Encoding: %s\r\n\r\n2\r\nok\r\n0\r\n\r\n"
           % coding, why=why) for coding, why in (
        (b"xchunked", CHUNKED), (b"x chunked", CHUNKED), (b"chunked-", CHUNKED),
        (b"chunke", CHUNKED), (b"chunked;q=1", CHUNKED), (b"chunked foo", CHUNKED),
        (b'"chunked"', CHUNKED), (b"chunked,", CHUNKED), (b",chunked", CHUNKED),
        (b"gzip, chunked", CHUNKED), (b"chunked, gzip", CHUNKED), (b"gzip", CHUNKED),
        (b"identity", CHUNKED), (b"chunked, identity", CHUNKED), (b"", CHUNKED),
        (b"chunked, chunked", CHUNKED), (b"\x0bchunked", CONTROL), (b"chunked\x0c", CONTROL),
        (b"chunked\t", CHUNKED), (b"chunked\xa0", CHUNKED), (b"\r\n chunked", "a folded line"),
        (b"chu\r\n\tnked", "a folded line"), (b"chunked\0", CONTROL),
        (b"chunked\r\nTransfer-Encoding: chunked", CHUNKED),
        (b"identity\r\nTransfer-Encoding: chunked", CHUNKED),
        (b"chunked\r\nTransfer-Encoding: identity", CHUNKED))),
    *(Case(f"transfer coding {coding!r}", OK + b"Transfer-Encoding:%s\r\n\r\n2\r\nok\r\n0\r\n\r\n"
           % coding, gets=b"ok", has={"content-length": None}) for coding in (
        b"chunked", b" CHUNKED", b"  chunked", b"\tchunked", b" Chunked ")),
    Case("a blank before the colon", OK + b"Content-Length : 2\r\n\r\nok", why=MALFORMED),
    Case("chunked before a blank and colon", OK + b"Transfer-Encoding : chunked\r\n\r\n"
         b"2\r\nok\r\n0\r\n\r\n", why=MALFORMED),
    *(Case(f"chunk size {size!r}", OK + b"Transfer-Encoding: chunked\r\n\r\n%s\r\nok\r\n0\r\n\r\n"
           % size, cut=why) for size, why in (
        (b"0x2", SIZE), (b"+2", SIZE), (b"-2", SIZE), (b" 2", SIZE), (b"\t2", SIZE),
        (b"2 ", SIZE), (b"2\t", SIZE), (b"", SIZE), (b"g", SIZE), (b"2,", SIZE),
        (b"10000000000000002", SIZE), (b"fffffffffffffffff", SIZE),
        (b"2;a=\x01b", LIBRARY), (b"2;a\nb", LIBRARY), (b"2\r", LIBRARY), (b"2;\0", LIBRARY),
        (b"2;" + b"a" * 260, "a chunk's line is over its limit"))),
    *(Case(f"chunk size {size!r}", OK + b"Transfer-Encoding: chunked\r\n\r\n%s\r\nok\r\n0\r\n\r\n"
           % size, gets=b"ok") for size in (b"2", b"02", b"0000000000000002", b"2;a=b", b'2;a="b"')),
    Case("a chunk longer than its size", OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n",
         cut=(CR, LF, NO_ANSWER, SIZE)),
    Case("a chunk that ends with LF", OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\n0\r\n\r\n",
         cut=(LF, NO_ANSWER)),
    Case("the size ends with LF", OK + b"Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n",
         cut=(LF, SIZE)),
    Case("no last chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", end=True, cut=SHORT),
    Case("no empty line behind the last chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n"
         b"2\r\nok\r\n0\r\n", end=True, cut=SHORT),
    Case("half a chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nok", end=True, cut=SHORT),
    *(Case(f"{field} in the trailer", OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
           b"%s: 2\r\n\r\n" % field.encode(), frames=lambda n, field=field: frame(
               HEADERS, END_HEADERS, n, block((":status", "200"))) + frame(DATA, 0, n, b"ok") +
           frame(HEADERS, END_HEADERS | END_STREAM, n, block((field.lower(), "2"))), cut=MEANS)
      for field in ("Content-Length", "Content-Encoding", "Content-Type", "Content-Range",
                    "Location", "Content-Disposition")),
    Case("less than its length", length=5, end=True, cut=(SHORT, "PROTOCOL_ERROR")),
    Case("more than its length", OK + b"Content-Length: 2\r\n\r\nokokok", gets=b"ok"),
    Case("a second answer behind it", OK + b"Content-Length: 2\r\n\r\nok" + OK +
         b"Content-Length: 4\r\n\r\nevil", gets=b"ok"),
    Case("a body up to the end", OK + b"\r\nok", end=True, gets=b"ok", has={"content-length": None}),
    Case("a body up to an end that is cut", OK + b"\r\nok", end="cut", cut=SHORT),
    Case("HTTP/1.0 with a length", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", gets=b"ok"),
]

NO_BODY = [
    Case("204 with a length", b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok",
         why="a body where none may be"),
    Case("204 with chunks", b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
         why="a body where none may be"),
    Case("204 with bytes behind it", b"HTTP/1.1 204 No\r\n\r\nok", becomes=204, gets=b""),
    Case("205 with a body", status=205, why="a body where none may be"),
    Case("205 with an empty body", status=205, body=b"", has={"content-length": "0"}),
    Case("205 with no chunks", status=205, body=b"", length="unknown", has={"content-length": "0"}),
    Case("205 with a chunk", status=205, length="unknown",
         cut="the body is longer than its head says"),
    Case("304 with a length", b"HTTP/1.1 304 Not\r\nContent-Length: 2\r\n\r\nok", becomes=304,
         gets=b"", has={"content-length": "2"}),
    Case("304 with chunks", b"HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"2\r\nok\r\n0\r\n\r\n", becomes=304, gets=b""),
    Case("HEAD with a body", OK + b"Content-Length: 2\r\n\r\nok", method="HEAD", gets=b"",
         has={"content-length": "2"}),
    Case("HEAD of gzip", fields=[("Content-Encoding", "gzip")], body=b"", length=77, method="HEAD",
         has={"content-encoding": "gzip", "content-length": "77"}),
    Case("103 with a body", b"HTTP/1.1 103 Hints\r\nContent-Length: 2\r\n\r\nok" + OK +
         b"Content-Length: 2\r\n\r\nok", why="a body where none may be"),
    Case("101 that nobody asked for", b"HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\n"
         b"Connection: upgrade\r\n\r\n", why="101 without having been asked"),
    Case("interim answers without end", 17 * b"HTTP/1.1 100 Continue\r\n\r\n" + OK +
         b"Content-Length: 2\r\n\r\nok", why="too many interim answers"),
    Case("304 with data", frames=lambda n: frame(HEADERS, END_HEADERS, n, block((":status", "304")))
         + frame(DATA, END_STREAM, n, b"ok"), told=("PROTOCOL_ERROR", "the client cancelled the request", "the client closed the connection"),
         becomes=304, gets=b""),
]

LENGTH = b"\r\nContent-Length: 2\r\n\r\nok"
LINES = [
    *(Case(f"status line {line!r}", line + LENGTH, why=why) for line, why in (
        (b"HTTP/1.1 2000 OK", NO_ANSWER), (b"HTTP/1.1 20 OK", NO_STATUS),
        (b"HTTP/1.1 2 OK", NO_STATUS), (b"HTTP/1.1 0200 OK", NO_STATUS),
        (b"HTTP/1.1 +200 OK", NO_ANSWER), (b"HTTP/1.1 -200 OK", NO_ANSWER),
        (b"HTTP/1.1 200OK", NO_ANSWER), (b"HTTP/1.1 2x0 OK", NO_ANSWER),
        (b"HTTP/1.1 200.1 OK", NO_ANSWER), (b"HTTP/1.1  200 OK", NO_STATUS),
        (b"HTTP/1.1\t200 OK", VERSION), (b"HTTP/1.1 200\tOK", NO_ANSWER),
        (b"HTTP/1.1 OK", NO_ANSWER), (b"HTTP/1.1", VERSION),
        (b"HTTP/1.1 000 OK", NO_STATUS), (b"HTTP/1.1 099 OK", NO_STATUS),
        (b"HTTP/1.1 600 OK", NO_STATUS), (b"HTTP/1.1 999 OK", NO_STATUS),
        (b"HTTP/1.01 200 OK", VERSION), (b"HTTP/01.1 200 OK", VERSION),
        (b"HTTP/1.10 200 OK", VERSION), (b"HTTP/1.2 200 OK", VERSION),
        (b"HTTP/2.0 200 OK", VERSION), (b"HTTP/0.9 200 OK", VERSION), (b"HTTP/3.1 200 OK", VERSION),
        (b"HTTP/1 200 OK", VERSION), (b"HTTP/1. 200 OK", VERSION),
        (b"HTTP/1.1.1 200 OK", VERSION), (b"HTTP 1.1 200 OK", NO_ANSWER),
        (b"HTTP/-1.1 200 OK", VERSION), (b"HTTP/1,1 200 OK", VERSION),
        (b"http/1.1 200 OK", NO_ANSWER), (b"HtTp/1.1 200 OK", NO_ANSWER),
        (b"HTTQ/1.1 200 OK", NO_ANSWER), (b"SIP/2.0 200 OK", NO_ANSWER),
        (b"ICY 200 OK", NO_ANSWER), (b"200 OK", NO_ANSWER), (b"HTTPS/1.1 200 OK", NO_ANSWER),
        (b" HTTP/1.1 200 OK", NO_ANSWER), (b"junk\r\nHTTP/1.1 200 OK", NO_ANSWER),
        (b"\xef\xbb\xbfHTTP/1.1 200 OK", NO_ANSWER), (b"\r\nHTTP/1.1 200 OK",
         "an empty line before the start line"), (b"\nHTTP/1.1 200 OK", LF),
        (b"HTTP/1.1 200 O\rK", CR), (b"HTTP/1.1 200 O\0K", CONTROL),
        (b"HTTP/1.1 200 OK\r\r", CR))),
    *(Case(f"status line {line!r}", line + LENGTH, gets=b"ok") for line in (
        b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 200 O K  ", b"HTTP/1.1 200 \xe8\x89\xaf")),
    Case("HTTP/0.9", b"<html>hello</html>\r\n\r\n", end=True, why=NO_ANSWER),
    Case("HTTP/0.9 without an empty line", b"<html>hello</html>", end=True, why=SHORT),
    Case("nothing", b"", end=True, why=SHORT),
    Case("all lines end with LF", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", end=True, why=SHORT),
    Case("a line ends with LF", OK + b"A: b\nContent-Length: 2\r\n\r\nok", why=LF),
    Case("the status line ends with LF", b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", why=LF),
    Case("an empty line of LF", OK + b"Content-Length: 2\r\n\n\r\n\r\n", why=LF),
    Case("a line ends with CR", OK + b"A: b\rContent-Length: 2\r\n\r\nok", why=CR),
    Case("CR in a value", OK + b"A: b\rc" + LENGTH, why=CR),
    Case("NUL in a value", OK + b"A: b\0c" + LENGTH, why=CONTROL),
    Case("NUL in a name", OK + b"A\0: b" + LENGTH, why=CONTROL),
    Case("no colon", OK + b"nonsense" + LENGTH, why=MALFORMED),
    Case("no name", OK + b": b" + LENGTH, why=(MALFORMED, "a field without a name")),
    Case("a blank in a name", OK + b"A b: c" + LENGTH, why=MALFORMED),
    Case("a blank before the colon of any field", OK + b"A : c" + LENGTH, why=MALFORMED),
    Case("a tab before the colon", OK + b"Content-Encoding\t: gzip" + LENGTH,
         why=(MALFORMED, CONTROL)),
    Case("eight bits in a name", OK + b"\xc3\xa4: c" + LENGTH, why=MALFORMED),
    Case("a folded first line", OK + b" A: b" + LENGTH, why="a folded line"),
    Case("a folded line", OK + b"Content-Encoding:\r\n gzip" + LENGTH, why="a folded line"),
    Case("a line of blanks", OK + b" \r\nA: b" + LENGTH, why="a folded line"),
    Case("Connection names the coding", OK + b"Connection: content-encoding\r\n"
         b"Content-Encoding: gzip" + LENGTH, why="Connection names a field that is not of this hop"),
    Case("Connection names the range", OK + b"Connection: content-range" + LENGTH,
         why="Connection names a field that is not of this hop"),
]

GZIP = {"content-encoding": "gzip"}
PLAIN = {"content-encoding": None}
CODINGS = [
    *coded("gzip", "gzip", has=GZIP),
    *coded("gzip with a name", "gzip", NAMED, has=GZIP),
    *coded("gzip in capital letters", "GZip", has=GZIP),
    Case("gzip with blanks", OK + b"Content-Encoding:  gzip\t \r\nContent-Length: %d\r\n\r\n%s"
         % (len(GZ), GZ), gets=GZ, has=GZIP),
    Case("gzip with a blank in HTTP/2", frames=lambda n: frame(HEADERS, END_HEADERS, n, block(
        (":status", "200"), ("content-encoding", " gzip"))) + frame(DATA, END_STREAM, n, GZ),
         why="PROTOCOL_ERROR"),
    *coded("x-gzip", "x-gzip", has=GZIP),
    *coded("deflate", "deflate", ZLIB, has={"content-encoding": "deflate"}),
    *coded("br", "BR", BROTLI, has={"content-encoding": "br"}),
    *coded("zstd", "zstd", ZSTD, has={"content-encoding": "zstd"}),
    *coded("identity", "identity", TEXT, has=PLAIN),
    *coded("an empty coding", "", TEXT, has=PLAIN),
    *coded("none", "none", TEXT, has=PLAIN),
    *coded("a charset", "UTF-8", TEXT, has=PLAIN),
    *coded("aws-chunked", "aws-chunked", TEXT, has=PLAIN),
    *coded("aws-chunked and gzip", "aws-chunked,gzip", has=GZIP),
    *coded("identity and gzip", ["identity", "gzip"], has=GZIP),
    *coded("gzip twice", "gzip, gzip", why=SEVERAL),
    *coded("two lines of gzip", ["gzip", "gzip"], why=SEVERAL),
    *coded("deflate and gzip", "deflate, gzip", why=SEVERAL),
    *coded("gzip, then br in another line", ["gzip", "br"], why=SEVERAL),
    *(case for value in ("gzip;", "gzip;q=1", '"gzip"', "gzipx", "x gzip", "xgzip", "gzip gzip",
                         "x-deflate", "compress", "x-compress", "sdch", "dcb", "bzip2", "lzma",
                         "chunked", "gzip, nonsense") for case in coded(value, value, why=UNKNOWN)),
    *coded("gzip cut short", "gzip", GZ[:-9], cut=CUT_SHORT),
    *coded("gzip without its last byte", "gzip", GZ[:-1], cut=CUT_SHORT),
    *coded("a head of gzip alone", "gzip", GZ[:10], cut=CUT_SHORT),
    *coded("a byte behind gzip", "gzip", GZ + b"\0", cut=BEHIND),
    *coded("junk behind gzip", "gzip", GZ + b"<script>", cut=BEHIND),
    *coded("a second member", "gzip", GZ + GZ, cut=BEHIND),
    *coded("a wrong sum", "gzip", BAD_CRC, cut=DAMAGED),
    *coded("a wrong size", "gzip", BAD_SIZE, cut=DAMAGED),
    *coded("reserved flags", "gzip", BAD_HEADER, cut=DAMAGED),
    *coded("text called gzip", "gzip", TEXT, cut=DAMAGED),
    *coded("zlib called gzip", "gzip", ZLIB, cut=DAMAGED),
    *coded("gzip called deflate", "deflate", GZ, cut=DAMAGED),
    *coded("raw deflate", "deflate", RAW, cut=DAMAGED),
    *coded("deflate cut short", "deflate", ZLIB[:-1], cut=CUT_SHORT),
    *coded("a byte behind deflate", "deflate", ZLIB + b"\0", cut=BEHIND),
    *coded("br cut short", "br", BROTLI[:-1], cut=CUT_SHORT),
    *coded("text called br", "br", TEXT, cut=DAMAGED),
    *coded("a byte behind br", "br", BROTLI + b"\0", cut=BEHIND),
    *coded("zstd cut short", "zstd", ZSTD[:-1], cut=CUT_SHORT),
    *coded("text called zstd", "zstd", TEXT, cut=DAMAGED),
    *coded("a second frame", "zstd", ZSTD + ZSTD, cut=BEHIND),
    *coded("nothing called gzip", "gzip", b"", has=GZIP),
    *coded("a long body", "gzip", LONG, has=GZIP),
    *coded("a long body cut short", "gzip", LONG[:-1], cut=CUT_SHORT),
    *coded("a byte behind a long body", "gzip", LONG + b"\0", cut=BEHIND),
    *coded("a wrong sum of a long body", "gzip", LONG[:-8] + bytes(8), cut=DAMAGED),
    *coded("a bomb", "gzip", BOMB, cut="the coded body grows beyond its limit"),
    *coded("gzip that nobody mentions", [], has=PLAIN),
]

UNASKED, UNLIKE = "206 without having been asked", "Content-Range unlike the Range asked for"
SEVERAL_RANGES = "several ranges in one answer"
RANGES = [
    part("as asked", "bytes 0-3/10", has={"content-range": "bytes 0-3/10"}),
    part("of a whole that nobody knows", "bytes 0-3/*"),
    part("less than asked", "bytes 0-3/4", asked="bytes=0-99"),
    part("from there on", "bytes 6-9/10", asked="bytes=6-"),
    part("the last bytes", "bytes 6-9/10", asked="bytes=-4"),
    part("that nobody asked for", "bytes 0-3/10", asked=None, why=UNASKED),
    part("that nobody asked for, without its range", None, asked=None, why=UNASKED),
    part("without its range", None, why="206 without Content-Range"),
    part("to HEAD", "bytes 0-3/10", b"", length=4, method="HEAD",
         has={"content-length": "4", "content-range": "bytes 0-3/10"}),
    part("from elsewhere", "bytes 1-3/10", b"123", why=UNLIKE),
    part("more than asked", "bytes 0-4/10", b"01234", why=UNLIKE),
    part("not the last bytes", "bytes 5-8/10", asked="bytes=-4", why=UNLIKE),
    part("more than the last bytes", "bytes 5-9/10", b"56789", asked="bytes=-4", why=UNLIKE),
    *(part(f"malformed: {value}", value, why="Content-Range is malformed") for value in (
        "bytes 0-3", "bytes=0-3/10", "bytes 3-0/10", "bytes 0-3/3", "0-3/10", "items 0-3/10",
        "bytes */10", "bytes 0-3/x", "bytes -3/10", "bytes 0-/10", "bytes 0-3/10, 4-5/10")),
    part("its range twice", "bytes 0-3/10", more=[("Content-Range", "bytes 0-3/10")],
         why="Content-Range is malformed"),
    part("a length unlike the range", "bytes 0-3/10", b"012", why="Content-Length unlike Content-Range"),
    part("shorter than its range", "bytes 0-3/10", b"012", length="unknown",
         cut="the body is shorter than its head says"),
    part("longer than its range", "bytes 0-3/10", b"01234", length="unknown",
         cut="the body is longer than its head says"),
    part("coded", f"bytes 0-3/{len(GZ)}", GZ[:4], more=[("Content-Encoding", "gzip")],
         why="a part of a coded body"),
    part("several ranges", None, asked="bytes=0-1,3-4", why=SEVERAL_RANGES, more=[
        ("Content-Type", "multipart/byteranges; boundary=a")]),
    part("a page of a list", "0-24/3573", TEXT, asked=None, has={"content-range": "0-24/3573"}),
    part("a page of a list as asked", "items 0-24/3573", TEXT, asked="items=0-24"),
    part("bytes for items", "bytes 0-3/10", asked="items=0-3", why=UNASKED),
    Case("200 with parts", fields=[("Content-Type", "multipart/byteranges; boundary=a")],
         why=SEVERAL_RANGES),
    Case("200 with Content-Range", fields=[("Content-Range", "bytes 0-1/9")],
         has={"content-range": None}),
    Case("200 with a page's range", fields=[("Content-Range", "items 0-1/9")],
         has={"content-range": "items 0-1/9"}),
    Case("416", status=416, fields=[("Content-Range", "bytes */2")], ask=["Range: bytes=9-"],
         has={"content-range": "bytes */2"}),
]

DIFFER = "Content-Type twice, and different"
SINGLES = [
    Case("one type twice", fields=2 * [("Content-Type", "text/html")], has={"content-type": "text/html"}),
    Case("a type with a charset, and without", fields=[
        ("Content-Type", "text/html; charset=utf-8"), ("Content-Type", "TEXT/html")],
         has={"content-type": "text/html; charset=utf-8"}),
    Case("a list of one type", fields=[("Content-Type", "text/html, text/html;charset=utf-8")],
         has={"content-type": "text/html;charset=utf-8"}),
    Case("a comma that is no type's", fields=[("Content-Type", "text/html; charset=utf-8, sjis")],
         has={"content-type": "text/html; charset=utf-8"}),
    Case("a comma in quotes", fields=[("Content-Type", 'multipart/mixed; boundary="a, b/c"')],
         has={"content-type": 'multipart/mixed; boundary="a, b/c"'}),
    Case("two types", fields=[("Content-Type", "text/plain"), ("Content-Type", "text/html")],
         why=DIFFER),
    Case("a list of two types", fields=[("Content-Type", "text/plain, text/html")], why=DIFFER),
    Case("one Location twice", status=302, fields=2 * [("Location", "/a")], has={"location": "/a"}),
    Case("two Locations", status=302, fields=[("Location", "/a"), ("Location", "/b")],
         why="Location twice, and different"),
    Case("two dispositions", fields=[("Content-Disposition", "inline"),
                                     ("Content-Disposition", "attachment")],
         why="Content-Disposition twice, and different"),
]

CASES = FRAMING + NO_BODY + LINES + CODINGS + RANGES + SINGLES


def make(build):
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in ("one", "two", "ask")})
    lab.asked = []
    lab.one = lab.origin(one, tls=True)
    lab.two = lab.origin(two, tls=True, alpn=["h2"])
    lab.ask = lab.origin(functools.partial(ask, lab), tls=True)
    lab.write_settings()
    return lab


def one(s):
    """HTTP/1.1; the path ends with the number of the case."""
    while head := read_head(s):
        case = CASES[int(head.split(b" ")[1].rsplit(b"/", 1)[1])]
        s.sendall(case.as_bytes())
        if case.end:
            return case.end == "cut" or s.unwrap()
    return None


def two(s):
    """The same in HTTP/2: a field has the number, among bytes that no Huffman code
    makes shorter, so that it can be read without."""
    o = Origin(s, settings=((HEADER_TABLE_SIZE, 0),))
    while got := o.read():
        if got[0] == HEADERS:
            o.send(CASES[int(got[3].split(b"````")[1])].as_frames(got[2]))


def ask(lab, s):
    while head := read_head(s):
        lab.asked.append(head.decode("latin-1").lower())
        s.sendall(OK + b"Content-Length: 2\r\n\r\nok")


def drive(lab, cases, client, host):
    """Each case asked by one curl, in turn; what came of it by case."""
    out = lab.dir / f"out-{client}-{host}"
    out.mkdir(exist_ok=True)
    wants = []
    for case in cases:
        n = CASES.index(case)
        url = f"https://{host}.lab.test:{getattr(lab, host)}/{client}/{host}/case/{n:04}"
        lines = [f'url = "{url}"', f'output = "{out}/{n}.body"', f'dump-header = "{out}/{n}.head"',
                 *(f'header = "{line}"' for line in (*case.ask, f"X-Case: ````{n}````")),
                 f'write-out = "{n} %{{exitcode}} %{{http_code}}\\n"', f"http{client}",
                 f'proxy = "http://127.0.0.1:{lab.port}"', f'cacert = "{lab.proxy_ca.crt}"',
                 f'interface = "{CITY}"', "path-as-is", "max-time = 10",
                 "suppress-connect-headers",
                 *(["head"] if case.method == "HEAD" else [])]
        wants.append("\n".join(lines))
    done = subprocess.run(["curl", "-sS", "-K", "-"], input="\nnext\n".join(wants).encode(),
                          capture_output=True, timeout=120)
    told = {}
    for line in done.stdout.decode().splitlines():
        n, code, status = line.split()
        told[int(n)] = int(code), int(status)
    return told, out


def read(path):
    return path.read_bytes() if path.exists() else b""


def fields_of(head):
    """Of the last head, each name once."""
    lines = head.decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")[1:]
    names = [line.split(":")[0].lower() for line in lines]
    for name in ("content-length", "content-encoding", "content-type", "content-range", "location"):
        assert names.count(name) < 2, lines
    return {n: line.split(":", 1)[1].strip() for n, line in zip(names, lines)}


def matches(why, want):
    return why in ((want,) if isinstance(want, str) else want)


def judge(case, code, status, head, body, why):
    if case.why:
        assert code == 0 and status == 502, (code, status)
        assert matches(why, case.why), why
        return
    if case.cut:
        assert code in (18, 56, 92), f"not cut: {code} {status} {body[:60]}"
        assert matches(why, case.cut), why
        # who knows the length would not miss the end
        assert case.length is not None or case.sent or len(body) < len(case.body), "all of it"
        return
    # the client had its answer when the journal was told of the rest
    assert (code, status) == (0, case.becomes) and why in case.told, (code, status, why)
    if case.method != "HEAD":
        assert body == case.gets, body[:60]
    fields = fields_of(head)
    for name, value in case.has.items():
        assert fields.get(name) == value, (name, fields.get(name))


def check(lab, cases, host):
    failed = []
    cases = [c for c in cases if (c.sent if host == "two" else c.frames) is None or
             (c.frames if host == "two" else c.sent) is not None]
    for client in ("1.1", "2"):
        told, out = drive(lab, cases, client, host)
        whys = reasons(lab, f"/{client}/{host}/case/", {CASES.index(c) for c in cases})
        for case in cases:
            n = CASES.index(case)
            try:
                judge(case, *told[n], read(out / f"{n}.head"), read(out / f"{n}.body"), whys[n])
            except AssertionError as e:
                failed.append(f"{case.name}, HTTP/{client} from {host}: {e}")
    assert not failed, "\n" + "\n".join(failed)


def reasons(lab, prefix, numbers):
    """The journal's `why` of each case."""
    def found():
        whys = {int(e["path"][len(prefix):]): e.get("why") for e in lab.journal()
                if e.get("path", "").startswith(prefix)}
        return numbers <= set(whys) and whys

    return wait_until(found)


def both(lab, cases):
    check(lab, cases, "one")
    check(lab, cases, "two")


def test_a_body_has_one_end(lab):
    both(lab, FRAMING)


def test_what_has_no_body_gets_none(lab):
    both(lab, NO_BODY)


def test_lines_have_one_reading(lab):
    check(lab, LINES, "one")


def test_a_body_has_one_coding_and_is_what_it_says(lab):
    both(lab, CODINGS)


def test_a_part_comes_as_it_was_asked_for(lab):
    both(lab, RANGES)


def test_what_stands_once_is_said_once(lab):
    both(lab, SINGLES)


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def test_what_decoded_a_body_goes_with_it(lab):
    """zlib takes 40 KiB for each that comes in pieces."""
    number = next(n for n, case in enumerate(CASES) if case.name == "a long body, length known")
    sock, before = lab.tls("one.lab.test", lab.one), 0
    for n in range(400):
        if n == 100:
            before = resident_kib(lab.children()["edge.0"])
        assert lab.get("one.lab.test", f"/{number}", port=lab.one, sock=sock).body == LONG
    grown = resident_kib(lab.children()["edge.0"]) - before
    assert grown < 4096, f"{grown} KiB"


ASKED = [
    ("several ranges", ["Range: bytes=0-1,3-4", "If-Range: \"a\""],
     {"range": None, "if-range": None}),
    ("two Ranges", ["Range: bytes=0-1", "Range: bytes=2-3"], {"range": None}),
    ("a malformed range", ["Range: bytes=5-2"], {"range": None}),
    ("a range", ["Range: bytes=0-1", "If-Range: \"a\"", "Accept-Encoding: gzip"],
     {"range": "bytes=0-1", "if-range": '"a"', "accept-encoding": "identity"}),
    ("a range of items", ["Range: items=0-1,4-5", "Accept-Encoding: gzip"],
     {"range": "items=0-1,4-5", "accept-encoding": "gzip"}),
    ("a browser's codings", ["Accept-Encoding: gzip, deflate, br, zstd, dcb, dcz"],
     {"accept-encoding": "gzip, br, zstd"}),
    ("weights", ["Accept-Encoding: x-gzip;q=0.5,br ; q=1,*;q=0"],
     {"accept-encoding": "x-gzip;q=0.5, br ; q=1"}),
    ("none that is known", ["Accept-Encoding: compress, *"], {"accept-encoding": "identity"}),
    ("codings in two lines", ["Accept-Encoding: gzip", "Accept-Encoding: br"],
     {"accept-encoding": "gzip, br"}),
    ("no word of codings", [], {"accept-encoding": None}),
]


def test_nothing_is_asked_for_that_would_be_refused(lab):
    sock = lab.tls("ask.lab.test", lab.ask)
    for name, lines, want in ASKED:
        headers = "".join(f"{line}\r\n" for line in lines)
        assert lab.get("ask.lab.test", port=lab.ask, sock=sock, headers=headers).status == 200
        got = [line.split(": ", 1) for line in lab.asked[-1].strip().split("\r\n")[1:]]
        for field, value in want.items():
            values = [v for n, v in got if n == field]
            assert values == ([] if value is None else [value]), (name, field, values)
