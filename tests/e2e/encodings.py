#!/usr/bin/env python3
"""Lets real programs write random values in their own ways, and looks for what the filter leaves of them.

    tests/e2e/encodings.py target/release/blackbar [SEED]

Each program writes each value. What it writes passes through blackbar, which knows the values and has no
rules: in one piece, and cut at random places with pauses. How much of an output is the program's own, a
prompt or quotes, is found by a second value of the same kind: where the two outputs differ, nothing may be
left but masks and a few bytes that say nothing, such as a digit of base64 shared with its neighbour.

Says which programs are missing, and fails without them. Says the seed, so that a failure can be had again.
"""

import base64
import concurrent.futures
import csv
import html
import io
import json
import os
import pathlib
import quopri
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import xml.sax.saxutils

NEEDED = "awk base64 basenc bash cat dash go java javac jq node od openssl perl php python3 ruby sed xxd".split()
BLACKBAR = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else None
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
DRAW = random.Random(SEED)
MASK = re.compile(rb"\[REDACTED:[a-z-]+\]")
# How coreutils write one.
LINE_END = re.compile(rb"(?<=\])'\$'\\n'*(?=\[REDACTED)")
# No piece of a value of eight bytes may be left; so many more or fewer bytes are no secret.
LEFT_BYTES_MAX = 7

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def drawn(length, others="", share=0.25):
    """Letters and digits, and among them some of the others."""
    out = [DRAW.choice(others) if others and DRAW.random() < share else DRAW.choice(LETTERS) for _ in range(length)]
    # Both ends differ between two values of a kind.
    return "".join(out)


KINDS = {
    "token": lambda: drawn(32),
    "short": lambda: drawn(9),
    "base64": lambda: base64.b64encode(DRAW.randbytes(33)).decode(),
    "quotes": lambda: drawn(24, "'\"`"),
    "ends": lambda: DRAW.choice("'\"\\$`&;|#~(") + drawn(20, "'\"\\") + DRAW.choice("'\"\\$`&;|#~)"),
    "backslashes": lambda: drawn(24, "\\/"),
    "shell": lambda: drawn(28, "$&|;<>()!*?#~^%{}[]"),
    "blanks": lambda: drawn(26, " ") + drawn(2),
    "ascii": lambda: drawn(40, "".join(map(chr, range(0x21, 0x7f))), 0.6),
    "url": lambda: "postgres://" + drawn(6) + ":" + drawn(18, "@:/?#&=+%") + "@db." + drawn(6) + "/x?a=" + drawn(4),
    "umlauts": lambda: drawn(24, "äöüßéñ"),
    "unicode": lambda: drawn(24, "äλ→中🔑\u00a0\u2028") + "\u00a0" + drawn(3),
    "latin1": lambda: drawn(24, "äöüß") + drawn(2),
    "bytes": lambda: drawn(24, "äöüß").encode("latin-1").decode("utf-8", "surrogateescape") + drawn(2),
    "control": lambda: drawn(30, "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 32), 127])), 0.3) + drawn(2),
    "c1": lambda: drawn(20, "\x85\x9f\u200b", 0.3) + drawn(2),
    "tabs": lambda: drawn(24, "\t", 0.15) + drawn(2),
    "lines": lambda: "\n".join(drawn(30) for _ in range(4)),
    "crlf": lambda: "\r\n".join(drawn(30) for _ in range(3)),
    "quoted-lines": lambda: "\n".join(drawn(30, "'\"\\$ ") + "x" for _ in range(3)),
    "pem": lambda: "-----BEGIN EC PRIVATE KEY-----\n"
    + base64.encodebytes(DRAW.randbytes(118)).decode().replace("\n", "")[:64]
    + "\n"
    + base64.b64encode(DRAW.randbytes(45)).decode()
    + "\n-----END EC PRIVATE KEY-----",
    "json": lambda: json.dumps({"user": drawn(8), "password": drawn(20, "'\"\\&")}),
}


# What is left to itself: a pair of quotes over the end of a line, numbers of what is no character, and characters that
# XML does not have.
UNPROMISED = {
    ("php escapeshellcmd", "quoted-lines"),
    ("python charref", "bytes"),
    ("python charref", "c1"),
    ("java properties-xml", "unicode"),
    ("go xml", "control"),
    # How many signs stand for bytes that are no text is PHP's own; a twin of them is not broken into the same lines.
    *((f"php {way}", "bytes") for way in ("json", "json-hex", "json-plain", "html", "html-compat")),
    ("java mime", "bytes"),
}


def run(*words, stdin=b"", fails=False, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PS4": "+ ", **more}
    for name in ("PYENV_ROOT", "PYENV_VERSION"):
        if name in os.environ:
            environment[name] = os.environ[name]
    done = subprocess.run(words, input=stdin, capture_output=True, env=environment, timeout=60)
    if done.returncode != 0 and not fails:
        raise Exception(f"{words[0]} failed: {done.stderr[-300:]!r}")
    return done.stdout + done.stderr


def shell(name, script, **more):
    return lambda value: run(name, "-c", script, V=value, **more)


def piped(*words):
    return lambda value: run(*words, stdin=as_bytes(value))


def powershell(value):
    """The argument of `powershell -EncodedCommand`, as its documentation makes it."""
    return base64.b64encode(("$env:TOKEN = '" + value.replace("'", "''") + "'; ./deploy.ps1").encode("utf-16le"))


NODE = r"""
const v = process.env.V, util = require('util');
const ways = {
  json: () => JSON.stringify({a: v}),
  'json-twice': () => JSON.stringify({a: JSON.stringify({b: v})}),
  'json-thrice': () => JSON.stringify({a: JSON.stringify({b: JSON.stringify({c: v})})}),
  uri: () => encodeURI(v),
  component: () => encodeURIComponent(v),
  form: () => new URLSearchParams({a: v}).toString(),
  url: () => { const u = new URL('https://h/'); u.searchParams.set('a', v); u.password = v; return u.href; },
  escape: () => escape(v),
  inspect: () => util.inspect({a: v}, {breakLength: Infinity}),
  'inspect-colour': () => util.inspect({a: v}, {colors: true, breakLength: Infinity}),
  base64: () => Buffer.from(v).toString('base64'),
  base64url: () => Buffer.from(v).toString('base64url'),
  hex: () => Buffer.from(v).toString('hex'),
  utf16: () => Buffer.from(v, 'utf16le').toString('base64'),
  'error': () => String(new Error('no such token: ' + v)),
};
console.log(ways[process.env.WAY]());
"""

GO = r"""package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"os"
	"strconv"
)

type pair struct{ User, Token string }

func main() {
	v := os.Getenv("V")
	switch os.Args[1] {
	case "q":
		fmt.Printf("%q\n", v)
	case "+q":
		fmt.Printf("%+q\n", v)
	case "#q":
		fmt.Printf("%#q\n", v)
	case "#v":
		fmt.Printf("%#v\n", pair{"u", v})
	case "+v":
		fmt.Printf("%+v\n", pair{"u", v})
	case "x":
		fmt.Printf("%x\n", v)
	case "% x":
		fmt.Printf("% x\n", v)
	case "X":
		fmt.Printf("%X\n", v)
	case "json":
		b, _ := json.Marshal(pair{"u", v})
		fmt.Println(string(b))
	case "json-bytes":
		b, _ := json.Marshal(map[string][]byte{"a": []byte(v)})
		fmt.Println(string(b))
	case "xml":
		b, _ := xml.Marshal(pair{"u", v})
		fmt.Println(string(b))
	case "html":
		fmt.Println(html.EscapeString(v))
	case "query":
		fmt.Println(url.QueryEscape(v))
	case "path":
		fmt.Println(url.PathEscape(v))
	case "userinfo":
		fmt.Println((&url.URL{Scheme: "https", User: url.UserPassword("u", v), Host: "h", Path: "/"}).String())
	case "ascii":
		fmt.Println(strconv.QuoteToASCII(v))
	case "base64":
		fmt.Println(base64.RawURLEncoding.EncodeToString([]byte(v)))
	}
}
"""

PERL = {
    "dumper": "use Data::Dumper; $Data::Dumper::Useqq = 0; print Dumper($ENV{V})",
    "quotemeta": "print quotemeta($ENV{V}), qq(\\n)",
    "base64": "use MIME::Base64; print encode_base64($ENV{V})",
    "json": "use JSON::PP; print encode_json([$ENV{V}]), qq(\\n)",
    "json-ascii": "use JSON::PP; print JSON::PP->new->ascii->encode([$ENV{V}]), qq(\\n)",
    "json-slash": "use JSON::PP; print JSON::PP->new->escape_slash->encode([$ENV{V}]), qq(\\n)",
    "unpack-hex": "print unpack('H*', $ENV{V}), qq(\\n)",
    "dumper-useqq": "use Data::Dumper; $Data::Dumper::Useqq = 1; print Dumper($ENV{V})",
    "dumper-useqq-text": "use Data::Dumper; use Encode; $Data::Dumper::Useqq = 1; print Dumper(decode('UTF-8', $ENV{V}, 1))",
    "dumper-text": "use Data::Dumper; use Encode; print Dumper(decode('UTF-8', $ENV{V}, 1))",
    "encode-qp": "use MIME::QuotedPrint; print encode_qp($ENV{V})",
    "encode-qp-in-text": "use MIME::QuotedPrint; print encode_qp(qq(Your password for the account at example.org is $ENV{V} from now on.\\n))",
    "decoded": "no warnings; use Encode; print decode('UTF-8', $ENV{V}, 1), qq(\\n)",
    "uri": "$_ = $ENV{V}; s/([^A-Za-z0-9_.~-])/sprintf('%%%02X', ord($1))/ge; print qq($_\\n)",
}


RUBY = {
    "inspect": "p ENV['V']",
    "dump": "puts ENV['V'].dump",
    "inspect-bytes": "p ENV['V'].b",
    "inspect-hash": "p({'a' => ENV['V']})",
    "json": "require 'json'; puts JSON.generate({a: ENV['V']})",
    "json-ascii": "require 'json'; puts JSON.generate({a: ENV['V']}, ascii_only: true)",
    "json-script": "require 'json'; puts JSON.generate({a: ENV['V']}, script_safe: true)",
    "shellescape": "require 'shellwords'; puts ENV['V'].shellescape",
    "cgi": "require 'cgi'; puts CGI.escape(ENV['V'])",
    "cgi-html": "require 'cgi'; puts CGI.escapeHTML(ENV['V'])",
    "uri": "require 'uri'; puts URI.encode_www_form(a: ENV['V'])",
    "component": "require 'erb'; puts ERB::Util.url_encode(ENV['V'])",
    "regexp": "puts Regexp.escape(ENV['V'])",
    "pack-m": "puts [ENV['V']].pack('m')",
    "pack-qp": "puts [ENV['V']].pack('M')",
    "pack-u": "puts ENV['V'].unpack1('H*')",
    "exception": "raise ArgumentError, ENV['V'] rescue p $!",
    "full-message": "begin; {}.fetch(ENV['V']); rescue => e; puts e.full_message(highlight: false).lines.grep_v(/^\\s*from/).join; end",
}

PHP = {
    "var-export": "var_export(getenv('V'));",
    "var-dump": "var_dump(getenv('V'));",
    "print-r": "print_r(['a' => getenv('V')]);",
    "serialize": "echo serialize(['a' => getenv('V')]);",
    "json": "echo json_encode(['a' => getenv('V')], JSON_INVALID_UTF8_SUBSTITUTE);",
    "json-hex": "echo json_encode(['a' => getenv('V')], JSON_HEX_TAG|JSON_HEX_AMP|JSON_HEX_APOS|JSON_HEX_QUOT|JSON_INVALID_UTF8_SUBSTITUTE);",
    "json-plain": "echo json_encode(['a' => getenv('V')], JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE|JSON_INVALID_UTF8_SUBSTITUTE);",
    "addslashes": "echo addslashes(getenv('V'));",
    "addcslashes": "echo addcslashes(getenv('V'), \"\\0..\\37\\\\\\177..\\377\");",
    "escapeshellarg": "setlocale(LC_ALL, 'C.UTF-8'); echo escapeshellarg(getenv('V'));",
    "escapeshellcmd": "setlocale(LC_ALL, 'C.UTF-8'); echo escapeshellcmd(getenv('V'));",
    "urlencode": "echo urlencode(getenv('V'));",
    "rawurlencode": "echo rawurlencode(getenv('V'));",
    "http-query": "echo http_build_query(['a' => getenv('V')]);",
    "html": "echo htmlspecialchars(getenv('V'), ENT_QUOTES | ENT_SUBSTITUTE);",
    "html-compat": "echo htmlspecialchars(getenv('V'), ENT_COMPAT | ENT_SUBSTITUTE);",
    "quoted-printable": "echo quoted_printable_encode('password: ' . getenv('V'));",
    "chunk-split": "echo chunk_split(base64_encode('some text before it, ' . getenv('V') . ' and some text behind it, so that it wraps'));",
    "preg-quote": "echo preg_quote(getenv('V'), '/');",
    "bin2hex": "echo bin2hex(getenv('V'));",
    "exception": "function f($v) { throw new Exception($v); } f(getenv('V'));",
}

JAVA = r"""
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.*;

public class W {
    record Pair(String user, String token) {}

    public static void main(String[] arguments) throws Exception {
        String v = System.getenv("V");
        byte[] raw = v.getBytes(StandardCharsets.UTF_8);
        switch (arguments[0]) {
            case "print": System.out.println(v); break;
            case "record": System.out.println(new Pair("u", v)); break;
            case "map": System.out.println(Map.of("token", v)); break;
            case "properties": { Properties p = new Properties(); p.setProperty("token", v); p.store(System.out, null); break; }
            case "properties-xml": { Properties p = new Properties(); p.setProperty("token", v); p.storeToXML(System.out, null); break; }
            case "url": System.out.println(URLEncoder.encode(v, StandardCharsets.UTF_8)); break;
            case "uri": System.out.println(new java.net.URI("https", "u:" + v, "h", 80, "/" + v, v, null).toASCIIString()); break;
            case "base64": System.out.println(Base64.getEncoder().encodeToString(raw)); break;
            case "mime": System.out.println(Base64.getMimeEncoder().encodeToString(("some text before it, " + v + " and some text behind it, so that it wraps").getBytes(StandardCharsets.UTF_8))); break;
            case "hex": System.out.println(HexFormat.of().formatHex(raw)); break;
            case "hex-colon": System.out.println(HexFormat.ofDelimiter(":").withUpperCase().formatHex(raw)); break;
            case "exception": throw new IllegalArgumentException("no such token: " + v);
            case "latin1": System.out.write(v.getBytes(StandardCharsets.ISO_8859_1)); System.out.println(); break;
            case "regexp": System.out.println(java.util.regex.Pattern.quote(v)); break;
        }
    }
}
"""


def table(rows):
    """One CSV record."""
    out = io.StringIO()
    csv.writer(out).writerow(rows)
    return out.getvalue()


def python(value):
    """Python's own ways."""
    raw = as_bytes(value)
    return {
        "print": lambda: value,
        "repr": lambda: repr(value),
        "repr-bytes": lambda: repr(raw),
        "ascii": lambda: ascii(value),
        "repr-dict": lambda: repr({"a": value}),
        "repr-nested": lambda: repr([repr(value)]),
        "json": lambda: json.dumps({"a": value}),
        "json-utf8": lambda: json.dumps({"a": value}, ensure_ascii=False),
        "json-json": lambda: json.dumps({"a": json.dumps({"b": value})}),
        "json-json-json": lambda: json.dumps(json.dumps(json.dumps(value))),
        "json-indent": lambda: json.dumps({"a": [value]}, indent=2),
        "html": lambda: html.escape(value),
        "html-noquote": lambda: html.escape(value, quote=False),
        "charref": lambda: value.encode("ascii", "xmlcharrefreplace").decode(),
        "backslashreplace": lambda: value.encode("ascii", "backslashreplace").decode(),
        "saxutils": lambda: xml.sax.saxutils.escape(value),
        "quoteattr": lambda: xml.sax.saxutils.quoteattr(value),
        "quote": lambda: urllib.parse.quote(value),
        "quote-all": lambda: urllib.parse.quote(value, safe=""),
        "quote-plus": lambda: urllib.parse.quote_plus(value),
        "quote-twice": lambda: urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
        "urlencode": lambda: urllib.parse.urlencode({"a": value, "b": 1}),
        "shlex": lambda: shlex.quote(value),
        "shlex-join": lambda: shlex.join(["curl", "-H", "X: " + value]),
        "list2cmdline": lambda: subprocess.list2cmdline(["a.exe", value + " x"]),
        "csv": lambda: table(["a", value, "b"]),
        "unicode-escape": lambda: value.encode("unicode_escape").decode(),
        "hex": lambda: raw.hex(),
        "hex-upper": lambda: raw.hex().upper(),
        "hex-colon": lambda: raw.hex(":"),
        "hex-blank": lambda: raw.hex(" "),
        "hex-dash": lambda: raw.hex("-"),
        "hex-escapes": lambda: "".join(f"\\x{byte:02x}" for byte in raw),
        "octal-escapes": lambda: "".join(f"\\{byte:03o}" for byte in raw),
        "base64": lambda: base64.b64encode(raw),
        "base64-url": lambda: base64.urlsafe_b64encode(raw),
        "base64-url-bare": lambda: base64.urlsafe_b64encode(raw).rstrip(b"="),
        "base64-basic": lambda: b"Authorization: Basic " + base64.b64encode(b"user:" + raw),
        "base64-in-text": lambda: base64.b64encode(b"{\"password\": \"" + raw + b"\", \"x\": 1}"),
        "base64-json": lambda: base64.b64encode(json.dumps({"auth": {"password": value, "x": 1}}).encode()),
        "base64-mime": lambda: base64.encodebytes(b"some text before it, " + raw + b" and some text behind it, so that it wraps"),
        "base64-base64": lambda: base64.b64encode(base64.b64encode(raw)),
        "base64-base64-in-text": lambda: base64.b64encode(b'{"data":"' + base64.b64encode(raw) + b'"}'),
        "base64-hex": lambda: base64.b64encode(raw.hex().encode()),
        "powershell": lambda: powershell(value),
        "utf16-base64-alone": lambda: base64.b64encode(value.encode("utf-16le")),
        "percent-of-base64": lambda: urllib.parse.quote(base64.b64encode(raw).decode(), safe=""),
        "json-of-url": lambda: json.dumps({"u": "https://u:" + urllib.parse.quote(value, safe="") + "@h/?a=" + value}),
        "exception": lambda: str(KeyError(value)),
        "fstring": lambda: f"{value!r:>10}",
        "latin-1": lambda: value.encode("latin-1"),
        "latin-1-quote": lambda: urllib.parse.quote(value, encoding="latin-1"),
        "latin-1-base64": lambda: base64.b64encode(value.encode("latin-1")),
        "quopri": lambda: quopri.encodestring(raw),
        "quopri-wrapped": lambda: quopri.encodestring(b"The password of the account that was asked for is: " + raw + b", and it is good for a day.\n"),
        "quopri-tabs": lambda: quopri.encodestring(b"password: " + raw, quotetabs=True),
        "replaced": lambda: raw.decode("utf-8", "replace"),
        "replaced-json": lambda: json.dumps(raw.decode("utf-8", "replace")),
    }


def writers(work):
    """All ways: a name and a function from a value to what is written."""
    ways = {f"python {name}": (lambda name: lambda value: python(value)[name]())(name) for name in python("x")}
    for way in re.findall(r"^  '?([\w-]+)'?: \(\)", NODE, re.M):
        ways["node " + way] = (lambda way: lambda value: run("node", "-e", NODE, V=value, WAY=way))(way)
    (work / "w.go").write_text(GO)
    binary = str(work / "w")
    done = subprocess.run(
        ["go", "build", "-o", binary, "w.go"],
        cwd=work,
        env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": str(work / "go"), "GOTOOLCHAIN": "local"},
        capture_output=True,
    )
    if done.returncode != 0:
        raise Exception(done.stderr.decode())
    for way in re.findall(r'case "(.+)":', GO):
        ways["go " + way] = (lambda way: lambda value: run(binary, way, V=value))(way)
    (work / "W.java").write_text(JAVA)
    subprocess.run(["javac", "-d", str(work), str(work / "W.java")], check=True, capture_output=True)
    for way in re.findall(r'case "(.+?)":', JAVA):
        ways["java " + way] = (lambda way: lambda value: run("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8", "-cp", str(work), "W", way, V=value, fails=way == "exception"))(way)
    for name, script in RUBY.items():
        ways["ruby " + name] = (lambda script: lambda value: run("ruby", "-e", script, V=value))(script)
    for name in ("inspect", "dump", "inspect-hash", "shellescape"):
        ways[f"ruby {name} C"] = (lambda script: lambda value: run("ruby", "-e", script, V=value, LC_ALL="C"))(RUBY[name])
    for name, script in PHP.items():
        ways["php " + name] = (lambda script, fails: lambda value: run("php", "-n", "-r", script, V=value, fails=fails))(script, name == "exception")
    for name, script in PERL.items():
        ways["perl " + name] = (lambda script: lambda value: run("perl", "-e", script, V=value))(script)
    for name in ("bash", "dash"):
        ways |= {
            f"{name} echo": shell(name, 'printf "%s\\n" "$V"'),
            f"{name} words": shell(name, "set -f; printf '%s ' $V; echo"),
            f"{name} set": shell(name, "set | grep -a -A9 '^V='"),
            f"{name} export": shell(name, "export -p | grep -a -A9 ' V='"),
            f"{name} trace": shell(name, 'set -x; : "$V"'),
            f"{name} trace-words": shell(name, "set -xf; : $V"),
            f"{name} trace-inside": shell(name, 'set -x; : "token=$V;"'),
            f"{name} trace-assign": shell(name, 'set -x; T="$V"; T=x$V'),
            f"{name} trace-test": shell(name, 'set -x; [ "$V" = x ] || :'),
            f"{name} trace-case": shell(name, 'set -x; case "$V" in a) ;; esac; for i in "$V"; do :; done'),
            f"{name} verbose": shell(name, 'set -v; eval ": \'$(printf %s "$V" | sed "s/\'/\'\\\\\\\\\'\'/g")\'"'),
        }
    ways |= {
        "bash %q": shell("bash", 'printf "%q\\n" "$V"'),
        "bash %q C": shell("bash", 'printf "%q\\n" "$V"', LC_ALL="C"),
        "bash @Q": shell("bash", 'printf "%s\\n" "${V@Q}"'),
        "bash @E": shell("bash", 'printf "%s\\n" "${V@A}"'),
        "bash declare": shell("bash", "declare -p V"),
        "bash array": shell("bash", 'a=("$V" x); declare -p a'),
        "bash map": shell("bash", 'declare -A a=([k]="$V"); declare -p a'),
        "bash trace [[": shell("bash", 'set -x; [[ "$V" == "" ]] || :'),
        "bash trace <<<": shell("bash", 'set -x; cat <<<"$V" >/dev/null'),
        "bash trace C": shell("bash", 'set -x; : "$V"', LC_ALL="C"),
        "bash time": shell("bash", 'PS4="+ \\t "; set -x; : "$V"'),
        "bash not found": shell("bash", '"/$V" 2>&1; :'),
        "bash ls": shell("bash", 'ls -d "$V" 2>&1; :'),
        "bash cat": shell("bash", 'cat "/$V" 2>&1; :', LC_ALL="C"),
        "base64": piped("base64"),
        "base64 -w 64": piped("base64", "-w", "64"),
        "base64 -w 0": piped("base64", "-w", "0"),
        "base64 text": lambda value: run("base64", stdin=b"machine example.com login me password " + value.encode() + b"\nmachine example.org login you\n"),
        "basenc --base64url": piped("basenc", "--base64url"),
        "basenc --base16": piped("basenc", "--base16"),
        "openssl base64": piped("openssl", "base64"),
        "xxd -p": piped("xxd", "-p"),
        "xxd -p -c 256": piped("xxd", "-p", "-c", "256"),
        "od -An -tx1 -w64": piped("od", "-An", "-tx1", "-v", "-w999"),
        "jq -R": piped("jq", "-R", "."),
        "jq -Rs": piped("jq", "-Rs", "."),
        "jq ascii": piped("jq", "-aRs", "."),
        "jq @base64": piped("jq", "-Rsr", "@base64"),
        "jq @uri": piped("jq", "-Rsr", "@uri"),
        "jq @sh": piped("jq", "-Rsr", "@sh"),
        "jq @html": piped("jq", "-Rsr", "@html"),
        "jq @csv": piped("jq", "-Rsr", "[., .]|@csv"),
        "jq @tsv": piped("jq", "-Rsr", "[., .]|@tsv"),
        "jq @json": piped("jq", "-Rs", "@json"),
        "jq -C": piped("jq", "-CRs", "{a: .}"),
        "sed -n l": piped("sed", "-n", "l 9999"),
        "sed indent": piped("sed", "s/^/    2026-11-26T00:00:00Z | /"),
        "cat -n": piped("cat", "-n"),
        "awk": piped("awk", '{ printf "%d: <%s>\\n", NR, $0 }'),
        "printf %b": shell("bash", "env printf '%q\\n' \"$V\""),
        "env": shell("bash", "env | grep -a -A9 '^V='"),
        "env -0": shell("bash", "env -0 | tr '\\0' '\\n' | grep -a -A9 '^V='"),
        "python trace": lambda value: run("python3", "-c", "import os, traceback\ntry: raise KeyError(os.environ['V'])\nexcept KeyError: traceback.print_exc()", V=value),
        "python yaml-like": lambda value: "a: |\n" + "".join(f"  {line}\n" for line in value.split("\n")),
    }
    return ways


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def own(one, other):
    """How many bytes of an output, blanks aside, do not depend on the value: at both ends of each line."""
    lines, others = one.splitlines() or [b""], other.splitlines() or [b""]
    if len(lines) != len(others):
        lines, others = [b" ".join(lines)], [b" ".join(others)]
    total = 0
    for line, twin in zip(lines, others):
        least = min(len(line), len(twin))
        left = next((at for at in range(least) if line[at] != twin[at]), least)
        right = next((at for at in range(least - left) if line[-1 - at] != twin[-1 - at]), least - left)
        total += bare(line[:left]) + bare(line[len(line) - right :])
    # Lines may be broken at other places.
    line, twin = (re.sub(rb"=?\r?\n", b"", output) for output in (one, other))
    left = len(os.path.commonprefix([line, twin]))
    right = len(os.path.commonprefix([line[left:][::-1], twin[left:][::-1]]))
    return max(total, bare(line[:left]) + bare(line[len(line) - right :]))


def is_text(value):
    return not any("\udc80" <= character <= "\udcff" for character in value)


def measure(value):
    replaced = as_bytes(value).decode("utf-8", "replace")
    return len(as_bytes(value)), len(value), len(replaced), len(value.encode("utf-16le", "surrogatepass")), value.count("'"), value.count('"')


def bare(text):
    return len(b"".join(text.split()))


def filtered(values, text, cuts):
    """What blackbar makes of a text that comes in pieces."""
    with tempfile.TemporaryDirectory() as folder:
        for index, value in enumerate(values):
            (pathlib.Path(folder) / f"V{index}").write_bytes(as_bytes(value))
        words = [BLACKBAR, "--no-default-rules", "--quiet", "--flush-after", "1", "--secret-weak", "--secret-file", folder]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"]}, bufsize=0)
        out = []
        reader = threading.Thread(target=lambda: out.append(child.stdout.read()))
        reader.start()
        last = 0
        for cut in [*cuts, len(text)]:
            view = text[last:cut]
            while view:
                view = view[child.stdin.write(view) :]
            last = cut
            if DRAW.random() < 0.2:
                time.sleep(0.002)
        child.stdin.close()
        reader.join()
        if child.wait() != 0:
            raise Exception(f"blackbar ended with {child.returncode}")
        return out[0]


def marker(index):
    return b"\n# output %d:\n" % index


def main():
    if BLACKBAR is None:
        sys.exit(__doc__)
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.exit(f"{sys.argv[0]}: these programs are needed and missing: {' '.join(missing)}")
    print(f"seed {SEED}")
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        failures = whole(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if failures:
        sys.exit(f"{failures} outputs leave a part of their value (seed {SEED})")
    print("nothing is left of any value")


def write_both(job):
    name, kind, write, one, other = job
    try:
        written, twin = as_bytes(write(one)), as_bytes(write(other))
    except UnicodeError:  # This way has no form for such a value.
        return None
    except Exception:
        if is_text(one):
            raise
        # Many refuse what is no text.
        return None
    return name, kind, written, own(written, twin)


def whole(work):
    ways = writers(work)
    only = os.environ.get("ONLY")
    values = []
    jobs = []
    for kind, draw in KINDS.items():
        one = draw()
        # A twin that every program writes as long as the value.
        other = next(other for other in iter(draw, None) if measure(other) == measure(one))
        values.append(one)
        jobs += [(name, kind, write, one, other) for name, write in ways.items() if (name, kind) not in UNPROMISED and (not only or re.search(only, f"{name}/{kind}"))]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outputs = [output for output in pool.map(write_both, jobs) if output]
    text = b"".join(marker(index) + written for index, (_, _, written, _) in enumerate(outputs)) + marker(len(outputs))
    print(f"{len(ways)} ways to write, {len(KINDS)} kinds of values, {len(outputs)} outputs, {len(text)} bytes")
    failed = set()
    for cuts in ([], sorted(DRAW.randrange(len(text)) for _ in range(len(text) // 40))):
        shown = filtered(values, text, cuts)
        for index, (name, kind, written, allowed) in enumerate(outputs):
            start = shown.find(marker(index)) + len(marker(index))
            part = shown[start : shown.find(marker(index + 1), start)]
            # A line end between two lines that are masked says nothing.
            rest = MASK.sub(b"", LINE_END.sub(b"", part))
            left = bare(rest) - allowed
            if left > LEFT_BYTES_MAX and index not in failed:
                failed.add(index)
                print(f"LEAK {name} / {kind}{' (cut)' if cuts else ''}: {left} bytes\n    {written!r:.300}\n    {part!r:.300}")
    return len(failed)


if __name__ == "__main__":
    main()
