// An origin with bad manners: each case is one server of its own on loopback, so that none has another's reputation.
// A case writes what it likes to the connection; `seen` counts the requests and keeps their heads.
// SPDX-License-Identifier: MIT
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

const OK = "HTTP/1.1 200 OK\r\n";
const whole = (body, heads = "", status = "200 OK") =>
  Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${heads}\r\n`), Buffer.from(body)]);
const coded = (coding, bytes) => (socket) => socket.end(whole(bytes, `Content-Encoding: ${coding}\r\nContent-Type: text/plain\r\n`));
const says = (...parts) => (socket) => { for (const part of parts) socket.write(part); };
const ends = (...parts) => (socket) => { for (const part of parts) socket.write(part); socket.end(); };

// In chunks of one byte.
const chunks = (bytes) => [...bytes].map((byte) => Buffer.from([0x31, 13, 10, byte, 13, 10])).concat(Buffer.from("0\r\n\r\n"));

// A Zstandard frame by hand (RFC 8878): blocks of one repeated byte, 128 KB from four bytes each.
function zstd(blocks, size = 128 * 1024, byte = 0x61) {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const all = [head];
  for (let i = 1; i <= blocks; i++) {
    const word = (size << 3) | (1 << 1) | (i === blocks ? 1 : 0);
    all.push(Buffer.from([word & 255, (word >> 8) & 255, (word >> 16) & 255, byte]));
  }
  return Buffer.concat(all);
}

// Writes `part` again and again for as long as the other side listens.
function pour(part, every = 0) {
  return (socket) => {
    const more = () => {
      if (socket.destroyed) return;
      const free = socket.write(part);
      if (every) setTimeout(more, every);
      else if (free) setImmediate(more);
      else socket.once("drain", more);
    };
    more();
  };
}

const zeros = Buffer.alloc(64 << 20);
export const cases = {
  hang: () => {},
  drip: (socket) => { socket.write(`${OK}Content-Length: 1000\r\n\r\n`); pour("x", 20)(socket); },
  stall: says(`${OK}Content-Length: 1000\r\n\r\nhello`),
  closed: (socket) => socket.end(),
  reset: (socket) => socket.resetAndDestroy(),
  truncated: ends(`${OK}Content-Length: 1000\r\n\r\nhello`),
  longer: ends(`${OK}Content-Length: 5\r\n\r\nhello and more`),
  chunk_size: ends(`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`),
  chunk_cut: ends(`${OK}Transfer-Encoding: chunked\r\n\r\n64\r\nhello`),
  chunk_huge: ends(`${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello`),
  chunk_endless: (socket) => { socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`); pour(`10000\r\n${"x".repeat(0x10000)}\r\n`)(socket); },
  endless: (socket) => { socket.write(`${OK}\r\n`); pour("x".repeat(0x10000))(socket); },
  gzip_bomb: coded("gzip", gzipSync(zeros)),
  gzip_twice: coded("gzip, gzip", gzipSync(gzipSync(zeros))),
  br_bomb: coded("br", brotliCompressSync(zeros, { params: { 1: 5 } })),
  deflate_bomb: coded("deflate", deflateSync(zeros)),
  zstd_bomb: coded("zstd", zstd(512)),
  gzip: coded("gzip", gzipSync("plain words")),
  br: coded("br", brotliCompressSync("plain words")),
  deflate: coded("deflate", deflateSync("plain words")),
  zstd: coded("zstd", zstd(1, 11)),
  not_gzip: coded("gzip", "plain words"),
  // whole by its length, cut by its coding
  gzip_cut: coded("gzip", gzipSync("plain words").subarray(0, -1)),
  gzip_no_end: coded("gzip", gzipSync("plain words").subarray(0, -8)),
  gzip_head: coded("gzip", gzipSync("plain words").subarray(0, 6)),
  gzip_member_cut: coded("gzip", Buffer.concat([gzipSync("plain "), gzipSync("words").subarray(0, -3)])),
  deflate_cut: coded("deflate", deflateSync("plain words").subarray(0, -1)),
  raw_cut: coded("deflate", deflateRawSync("plain words").subarray(0, -1)),
  br_cut: coded("br", brotliCompressSync("plain words").subarray(0, -1)),
  zstd_cut: coded("zstd", zstd(1, 11).subarray(0, -1)),
  inner_cut: coded("gzip, br", brotliCompressSync(gzipSync("plain words").subarray(0, -4))),
  chunked_cut: ends(`${OK}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`, ...chunks(gzipSync("plain words").subarray(0, -2))),
  closed_cut: ends(`${OK}Content-Encoding: gzip\r\n\r\n`, gzipSync("plain words").subarray(0, -2)),
  gzip_damaged: coded("gzip", Buffer.concat([gzipSync("plain words").subarray(0, -8), Buffer.alloc(8)])),
  gzip_members: coded("x-gzip", Buffer.concat([gzipSync("plain "), gzipSync("words")])),
  gzip_tail: coded("gzip", Buffer.concat([gzipSync("plain words"), Buffer.from("garbage")])),
  raw: coded("deflate", deflateRawSync("plain words")),
  two_codings: coded("gzip, br", brotliCompressSync(gzipSync("plain words"))),
  three_codings: coded("gzip, gzip, gzip", gzipSync(gzipSync(gzipSync("plain words")))),
  coded_empty: coded("gzip", ""),
  chunked_gzip: ends(`${OK}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`, ...chunks(gzipSync("plain words"))),
  transfer_gzip: ends(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, ...chunks(gzipSync("plain words").subarray(0, -8))),
  members_endless: (socket) => { socket.write(`${OK}Content-Encoding: gzip\r\n\r\n`); pour(Buffer.concat(Array(3000).fill(gzipSync(""))))(socket); },
  unknown_coding: coded("rot13", "cynva jbeqf"),
  many_headers: ends(OK, "x: y\r\n".repeat(20000), "\r\n"),
  different_headers: ends(OK, Array.from({ length: 20000 }, (_, i) => `x-${i}: y\r\n`).join(""), "\r\n"),
  giant_header: ends(OK, `x: ${"y".repeat(1 << 20)}\r\n\r\n`),
  grown_header: ends(OK, `x: ${"y".repeat(30000)}\r\n`.repeat(8), "\r\n"),
  endless_head: (socket) => { socket.write(OK); pour(`x-more: ${"y".repeat(1000)}\r\n`)(socket); },
  continues: pour("HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"),
  garbage: ends("HELLO there\r\n\r\nbody"),
  no_head: ends("just words, as in 1991\n"),
  status: ends("HTTP/1.1 99999 Odd\r\n\r\n"),
  negative: ends(`${OK}Content-Length: -5\r\n\r\nhello`),
  no_number: ends(`${OK}Content-Length: five\r\n\r\nhello`),
  two_lengths: ends(`${OK}Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello`),
  same_lengths: ends(`${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`),
  circle: (socket) => socket.end(whole("", "Location: /again\r\n", "302 Found")),
  to_file: (socket) => socket.end(whole("", "Location: file:///etc/passwd\r\n", "302 Found")),
  to_gopher: (socket) => socket.end(whole("", "Location: gopher://127.0.0.1:70/\r\n", "302 Found")),
  to_metadata: (socket) => socket.end(whole("", "Location: http://169.254.169.254/latest/\r\n", "302 Found")),
  to_public: (socket) => socket.end(whole("", "Location: http://example.org/\r\n", "302 Found")),
  busy: (socket) => socket.end(whole("slow down", "Retry-After: 3000\r\n", "429 Too Many Requests")),
  busy_until: (socket) => socket.end(whole("", `Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nRetry-After: Thu, 01 Jan 2026 00:20:00 GMT\r\n`, "503 Busy")),
  used_up: (socket) => socket.end(whole("{}", `Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: ${Date.UTC(2026, 0, 1) / 1000 + 900}\r\n`, "403 Forbidden")),
  page: (socket) => socket.end(whole("<!doctype html><title>Sign in</title><p>Please sign in.", "Content-Type: text/html\r\n")),
  head: ends(`${OK}Content-Length: 11\r\n\r\nhello there`),
  nothing: ends("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
};

// One server for each of the cases, or for each of `answers` (name → function of socket and head).
export async function start(answers = cases, tls = null) {
  const servers = {};
  const seen = Object.fromEntries(Object.keys(answers).map((name) => [name, []]));
  const open = new Set();
  for (const [name, answer] of Object.entries(answers)) {
    const talk = (socket) => {
      let head = "";
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        head += bytes.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        seen[name].push(head);
        answer(socket, head);
        head = "";
      });
    };
    const server = tls ? createTlsServer(tls[name], talk) : createServer(talk);
    server.on("tlsClientError", () => {});
    await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
    servers[name] = server;
  }
  const url = Object.fromEntries(Object.entries(servers).map(([name, s]) => [name, `${tls ? "https" : "http"}://127.0.0.1:${s.address().port}`]));
  return {
    url, seen,
    async stop() {
      for (const socket of open) socket.destroy();
      for (const server of Object.values(servers)) await new Promise((resolve) => { server.close(resolve); });
    },
  };
}

export const plain = (body, heads) => (socket) => socket.write(whole(body, heads));
export { whole };

// An authority and certificates of its making, by the openssl command: { ca, keys: { good, expired, … } }.
export function certificates(folder) {
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name) => readFileSync(join(folder, name));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Test authority");
  const make = (name, names, ...days) => {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`);
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-out", `${name}.pem`, ...days);
    return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
  };
  openssl("req", "-x509", ...key, "-keyout", "self.key", "-out", "self.pem", "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1");
  return {
    ca: join(folder, "ca.pem"),
    keys: {
      good: make("good", "IP:127.0.0.1", "-days", "30"),
      expired: make("expired", "IP:127.0.0.1", "-days", "-1"),
      other_name: make("other_name", "DNS:example.org", "-days", "30"),
      self_signed: { key: read("self.key"), cert: read("self.pem") },
    },
  };
}
