// Requests of a real run to an origin with bad manners, to addresses that are none of its business, and with secrets:
// each ends in time with an error that an analyst can read, reaches nothing that was not named, and shows nothing.
// SPDX-License-Identifier: MIT
import { test, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cases, certificates, plain, start, whole } from "../servers/hostile.mjs";
import { DTS as PROGRAM } from "../program.mjs";

const skip = existsSync(PROGRAM) ? false : `there is no ${PROGRAM}: build it, or name another in DTS`;

// A project with one pipeline, `ask`, that makes the requests of `script` and keeps what came of each under its name.
function project(script, settings = "", secrets = {}) {
  const folder = mkdtempSync(join(tmpdir(), "dts-http-"));
  const place = (name, text, mode) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode });
  };
  place("dts.lua", `return { name = "http", ${settings} }`);
  for (const [name, text] of Object.entries(secrets)) place(`secrets/${name}`, text, 0o600);
  place("pipelines/ask.lua", `local dts = require "dts"
dts.table { name = "said", key = { "name" }, columns = { "name text", "code text", "text text" } }
local function keep(ctx, name, ask)
  local ok, got = pcall(ask)
  local code = ok and "ok" or type(got) == "table" and got.code or "?"
  ctx:put("said", { name = name, code = code, text = tostring(got):sub(1, 500) })
end
${script}`);
  const dts = (...args) => new Promise((done, fail) => {
    const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: 60000 });
    let said = "";
    child.stdout.on("data", (part) => { said += part; });
    child.stderr.on("data", (part) => { said += part; });
    child.on("error", fail);
    child.on("close", (status) => done({ status, said }));
  });
  return {
    folder, dts, place,
    async ask(...args) {
      const { status, said } = await dts("run", "ask", ...args);
      assert.equal(status, 0, said);
      const rows = JSON.parse((await dts("sql", "--json", "select name, code, text from said")).said);
      return Object.fromEntries((rows.rows ?? rows).map((row) => (Array.isArray(row) ? [row[0], { code: row[1], text: row[2] }] : [row.name, row])));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const source = (name, url, more = "") => `source.${name} = dts.source { name = "${name}", url = "${url}", ${more} }`;

// POST is sent once: what is looked at here is one try.
const HOSTILE = {
  hang: ["HTTP_TIMEOUT", /no complete answer in time/],
  drip: ["HTTP_TIMEOUT", /no complete answer in time/],
  stall: ["HTTP_TIMEOUT", /stalled/],
  closed: ["HTTP_NETWORK", /closed without an answer/],
  reset: ["HTTP_NETWORK", /reset/i],
  truncated: ["HTTP_NETWORK", /closed in the middle/],
  longer: ["ok", /^200 hello$/],
  chunk_size: ["HTTP_NETWORK", /./],
  chunk_cut: ["HTTP_NETWORK", /./],
  chunk_huge: ["HTTP_NETWORK", /./],
  chunk_endless: ["HTTP_TOO_LARGE", /1048576 bytes/],
  endless: ["HTTP_TOO_LARGE", /1048576 bytes/],
  gzip_bomb: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  gzip_twice: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  br_bomb: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  deflate_bomb: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  zstd_bomb: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  gzip: ["ok", /^200 plain words$/],
  br: ["ok", /^200 plain words$/],
  deflate: ["ok", /^200 plain words$/],
  zstd: ["ok", /^200 aaaaaaaaaaa$/],
  not_gzip: ["HTTP_NETWORK", /content-encoding/],
  gzip_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  gzip_no_end: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  gzip_head: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  gzip_member_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  deflate_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  raw_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  br_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  zstd_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  inner_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  chunked_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  closed_cut: ["HTTP_NETWORK", /ends too early for its content-encoding/],
  gzip_damaged: ["HTTP_NETWORK", /not coded as its content-encoding says \(gzip\)/],
  gzip_members: ["ok", /^200 plain words$/],
  gzip_tail: ["ok", /^200 plain words$/],
  raw: ["ok", /^200 plain words$/],
  two_codings: ["ok", /^200 plain words$/],
  chunked_gzip: ["ok", /^200 plain words$/],
  three_codings: ["HTTP_NETWORK", /'gzip, gzip, gzip' is not understood/],
  coded_empty: ["ok", /^200 $/],
  transfer_gzip: ["HTTP_NETWORK", /Transfer-Encoding is not chunked/],
  members_endless: ["HTTP_TOO_LARGE", /1048576 bytes \(decoded\)/],
  unknown_coding: ["HTTP_NETWORK", /content-encoding 'rot13' is not understood/],
  many_headers: ["HTTP_NETWORK", /headers?/],
  different_headers: ["HTTP_NETWORK", /more than 1000 headers/],
  giant_header: ["HTTP_NETWORK", /header/],
  grown_header: ["HTTP_NETWORK", /header/],
  endless_head: ["HTTP_NETWORK", /header/],
  continues: ["HTTP_NETWORK", /header/],
  garbage: ["HTTP_NETWORK", /no HTTP answer/],
  no_head: ["HTTP_NETWORK", /no HTTP answer/],
  status: ["HTTP_NETWORK", /./],
  negative: ["HTTP_NETWORK", /./],
  no_number: ["HTTP_NETWORK", /./],
  two_lengths: ["HTTP_NETWORK", /two Content-Lengths/],
  same_lengths: ["ok", /^200 hello$/],
  circle: ["HTTP_NETWORK", /more than 5 redirects/],
  to_file: ["HTTP_BLOCKED", /scheme|cannot be used/],
  to_gopher: ["HTTP_BLOCKED", /scheme|cannot be used/],
  to_metadata: ["HTTP_BLOCKED", /may not reach 169\.254\.169\.254/],
  to_public: ["HTTP_BLOCKED", /may not reach example\.org/],
  busy: ["HTTP_LATER", /answered 429 and asks to wait 3000 s/],
  busy_until: ["HTTP_LATER", /answered 503 and asks to wait 1200 s/],
  used_up: ["HTTP_LATER", /asks to wait 900 s/],
  page: ["JSON", /body is text\/html and begins .*Sign in/],
  head: ["ok", /^200 $/],
  nothing: ["ok", /^204 $/],
};

test("a hostile origin: every case ends in time, with the right words", { skip, timeout: 60000 }, async (t) => {
  assert.deepEqual(Object.keys(HOSTILE).sort(), Object.keys(cases).sort());
  const origin = await start();
  const p = project(`local source = {}
${Object.entries(origin.url).map(([name, url]) => source(name, url, `timeout = "3s", ${name === "stall" ? 'stall = "1s", ' : ""}largest = "1MB"`)).join("\n")}
dts.pipeline { name = "ask", run = function(ctx)
  local names = {}
  for name in pairs(source) do names[#names + 1] = name end
  dts.each(names, { concurrency = 60 }, function(name)
    keep(ctx, name, function()
      if name == "page" then return source[name]:get("/"):json() end
      local res = source[name]:request(name == "head" and "HEAD" or "POST", "/")
      return ("%d %s"):format(res.status, res:text())
    end)
  end)
end }`);
  try {
    const began = Date.now();
    const said = await p.ask();
    t.diagnostic(`${Object.keys(said).length} cases in ${Date.now() - began} ms`);
    const wrong = Object.entries(HOSTILE).filter(([name, [code, words]]) => said[name]?.code !== code || !words.test(said[name].text));
    assert.deepEqual(wrong.map(([name]) => [name, said[name]?.code, said[name]?.text]), []);
    for (const name of ["hang", "truncated", "gzip_bomb", "reset"]) assert.equal(origin.seen[name].length, 1, name);
  } finally {
    await origin.stop();
    p.remove();
  }
});

test("tries: four in all, a wait that is asked for is kept, a quota that is used up is waited for", { skip, timeout: 60000 }, async () => {
  const times = { fails: [], once: [], quota: [], dated: [] };
  const count = (name) => times[name].push(Date.now()) && times[name].length;
  const origin = await start({
    fails: (socket) => { count("fails"); socket.end(whole("", "", "503 Busy")); },
    once: (socket) => socket.end(count("once") < 2 ? whole("", "Retry-After: 1\r\n", "429 Busy") : whole("fine")),
    dated: (socket) => socket.end(count("dated") < 2
      ? whole("", "Date: Fri, 02 Jan 2026 00:00:00 GMT\r\nRetry-After: Fri, 02 Jan 2026 00:00:01 GMT\r\n", "503 Busy") : whole("fine")),
    quota: (socket) => socket.end(whole("fine", count("quota") < 2 ? 'RateLimit: "default";r=0;t=1\r\n' : "")),
  });
  const p = project(`local source = {}
${Object.entries(origin.url).map(([name, url]) => source(name, url)).join("\n")}
dts.pipeline { name = "ask", run = function(ctx)
  dts.each({ "fails", "once", "quota", "dated" }, function(name)
    keep(ctx, name, function()
      if name == "quota" then source[name]:get("/") end
      return source[name]:get("/"):text()
    end)
  end)
end }`);
  try {
    const said = await p.ask();
    assert.equal(said.fails.code, "HTTP_STATUS");
    assert.match(said.fails.text, /answered 503 \(4 tries\)/);
    assert.equal(times.fails.length, 4);
    for (const name of ["once", "quota", "dated"]) {
      assert.deepEqual([said[name].text, times[name].length], ["fine", 2], name);
      assert.ok(times[name][1] - times[name][0] >= 990, `${name}: ${times[name][1] - times[name][0]} ms`);
    }
  } finally {
    await origin.stop();
    p.remove();
  }
});

// A canary listens on loopback; nothing of this may reach it, since only another port is named.
test("the address guard: a loopback address in every spelling, schemes, and what hides behind them", { skip, timeout: 60000 }, async () => {
  const origin = await start({ canary: plain("reached"), own: (socket, head) => {
    const to = /x-to: (.*)\r/i.exec(head);
    socket.end(to && !head.startsWith("GET /nowhere") ? whole("", `Location: ${to[1]}\r\n`, "302 Found") : whole("own"));
  } });
  const port = new URL(origin.url.canary).port;
  const spellings = [
    "127.0.0.1", "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "127.1", "127.0.1", "0x7f.0x0.0x0.0x1", "017700000001", "127.0.0.1.",
    "127.0.0.01", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[::1%25lo]",
    "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "ⓛocalhost", "127.0.0.1%00.example.org",
    "good.example@127.0.0.1", "user:pass@127.0.0.1", "127.0.0.1\\t", "127.0.0.1#@good.example", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200",
    "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
  ].map((host) => `http://${host}:${port}/`);
  const others = [
    `http:\\\\127.0.0.1:${port}/`, `http:/127.0.0.1:${port}/`, `http:127.0.0.1:${port}/`, `//127.0.0.1:${port}/`,
    ` http://127.0.0.1:${port}/`, `ht\ttp://127.0.0.1:${port}/`, `http://127.0.0.1:${port}\r\nHost: x/`, `http://${new URL(origin.url.own).host}@127.0.0.1:${port}/`,
    `HTTP://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`, "file:///etc/passwd", "gopher://127.0.0.1:70/", "ftp://127.0.0.1/", "data:,hello", "dict://127.0.0.1:11111/", "http://",
    `http://127.0.0.1:0${port}/`, `http://[::ffff:127.0.0.1]:${port}`, `http:///127.0.0.1:${port}/`, `127.0.0.1:${port}`,
  ];
  const urls = [...spellings, ...others, `http://127.0.0.1:${port}\\@${new URL(origin.url.own).host}/`];
  const lua = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\r", "\\r").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
  const p = project(`local own = dts.source { name = "own", url = "${origin.url.own}" }
local urls = { ${urls.map(lua).join(", ")} }
dts.pipeline { name = "ask", allow = { hosts = { "good.example", "*.example.org" } }, run = function(ctx)
  dts.each(urls, { concurrency = 20 }, function(url, i)
    keep(ctx, "plain " .. i, function() return dts.http.get(url).status end)
    keep(ctx, "path " .. i, function() return own:get(url, { headers = { ["X-To"] = "/nowhere" } }).status end)
    keep(ctx, "redirect " .. i, function() return own:get("/", { headers = { ["X-To"] = url:gsub("[\\r\\n\\t]", "") } }).status end)
  end)
end }`);
  try {
    const said = await p.ask();
    const refused = ["HOST_REFUSED", "HTTP_BLOCKED", "HTTP_REQUEST"];
    const passed = Object.entries(said).filter(([name, { code }]) => name.startsWith("plain") && !refused.includes(code));
    assert.deepEqual(passed.slice(0, -1).map(([name, { code, text }]) => [urls[name.split(" ")[1] - 1], code, text]), []);
    assert.deepEqual(origin.seen.canary, []);
    assert.equal(Object.keys(said).length, 3 * urls.length);
  } finally {
    await origin.stop();
    p.remove();
  }
});

const everything = (folder) => readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));

test("a secret is on the wire to its own source, and nowhere else", { skip, timeout: 60000 }, async () => {
  const SECRET = "s3cr3t/of+the=house";
  const encoded = encodeURIComponent(SECRET);
  const others = [];
  const origin = await start({
    own: (socket, head) => {
      const [, path] = /^\S+ (\S+)/.exec(head);
      if (path.startsWith("/away")) return socket.end(whole("", `Location: ${origin.url.other}/x?key=${encoded}\r\n`, "302 Found"));
      if (path.startsWith("/link")) return socket.end(whole("[1]", `Link: <${origin.url.other}/next>; rel="next"\r\n`));
      if (path.startsWith("/fail")) return socket.end(whole(`no ${head}`, "Content-Type: text/plain\r\n", "400 Bad"));
      return socket.end(whole(head + "x".repeat(path.startsWith("/large") ? 100000 : 0), `X-Echo: ${SECRET}\r\nETag: "${SECRET}"\r\n`));
    },
    other: (socket, head) => { others.push(head); socket.end(whole("other")); },
  });
  const p = project(`local own = dts.source { name = "own", url = "${origin.url.own}", headers = { Authorization = "Bearer {secret:KEY}", Cookie = "a=b" }, query = { key = "{secret:KEY}" } }
local other = dts.source { name = "other", url = "${origin.url.other}" }
dts.pipeline { name = "ask", run = function(ctx)
  keep(ctx, "echo", function()
    local res = own:get("/echo", { archive = "echo", meta = { a = 1 } })
    print(res.url, res.headers["x-echo"], res:text())
    return res.url .. " " .. res.headers["x-echo"] .. " " .. res:text()
  end)
  keep(ctx, "large", function() return own:get("/large"):text() end)
  keep(ctx, "fail", function() return own:get("/fail"):text() end)
  keep(ctx, "away", function() return own:get("/away"):text() end)
  keep(ctx, "whole", function() return own:get("${origin.url.other}/whole"):text() end)
  keep(ctx, "link", function() local n = 0 for _ in own:pages("/link") do n = n + 1 end return n end)
end }
dts.pipeline { name = "crash", retry = 0, run = function() error(own:get("/echo"):text()) end }`, "", { KEY: `${SECRET}\n` });
  try {
    const said = await p.ask("--record", "kept.ndjson").catch(() => p.ask());
    const crash = await p.dts("run", "crash");
    assert.equal(crash.status, 1, crash.said);
    assert.match(origin.seen.own[0], new RegExp(`^GET /echo\\?key=${encoded.replaceAll("+", "\\+")} HTTP`));
    assert.ok(origin.seen.own[0].includes(`Authorization: Bearer ${SECRET}\r\n`));
    assert.match(said.echo.text, /\/echo \*+ GET \/echo/);
    assert.match(said.fail.text, /answered 400/);
    assert.equal(said.away.text, "other");
    assert.equal(said.whole.text, "other");
    assert.equal(said.link.text, "2");
    const leaked = others.filter((head) => !head.startsWith("GET /x?key=") && (head.includes(SECRET) || head.includes(encoded)));
    assert.deepEqual(leaked, []);
    assert.equal(others.filter((head) => /authorization|cookie/i.test(head)).length, 0);
    for (const file of everything(p.folder).filter((f) => !f.includes("/secrets/"))) {
      const bytes = readFileSync(file).toString("latin1");
      assert.ok(!bytes.includes(SECRET) && !bytes.includes(encoded), file);
    }
    for (const args of [["runs", "--json"], ["logs", "1"], ["catalog"], ["explain", "ask"], ["sql", "--json", "select * from dts_runs"]]) {
      const { said: shown } = await p.dts(...args);
      assert.ok(!shown.includes(SECRET) && !shown.includes(encoded), args.join(" "));
    }
    assert.ok(!crash.said.includes(SECRET), crash.said);
  } finally {
    await origin.stop();
    p.remove();
  }
});

test("TLS: only certificates that the system or dts.lua trusts, in their time and for their name", { skip, timeout: 60000 }, async () => {
  const made = mkdtempSync(join(tmpdir(), "dts-keys-"));
  const { ca, keys } = certificates(made);
  const origin = await start(Object.fromEntries(Object.keys(keys).map((name) => [name, plain("inside")])), keys);
  const script = `local source = {}
${Object.entries(origin.url).map(([name, url]) => source(name, url)).join("\n")}
dts.pipeline { name = "ask", run = function(ctx)
  for name in pairs(source) do keep(ctx, name, function() return source[name]:get("/"):text() end) end
end }`;
  const strict = project(script);
  const trusting = project(script, 'trust = "keys/ca.pem"');
  const broken = project(script, 'trust = { "keys/none.pem" }');
  try {
    trusting.place("keys/ca.pem", readFileSync(ca));
    const no = await strict.ask();
    for (const name of Object.keys(keys)) assert.deepEqual([no[name].code, /certificate/i.test(no[name].text)], ["HTTP_NETWORK", true], name);
    const yes = await trusting.ask();
    assert.equal(yes.good.text, "inside");
    for (const [name, words] of [["expired", /expired/], ["other_name", /127\.0\.0\.1/], ["self_signed", /self.signed/]]) {
      assert.equal(yes[name].code, "HTTP_NETWORK", name);
      assert.match(yes[name].text, words);
    }
    const { status, said } = await broken.dts("run", "ask");
    assert.equal(status, 1);
    assert.match(said, /keys\/none\.pem/);
    broken.place("keys/none.pem", "no certificate");
    assert.match((await broken.dts("run", "ask")).said, /no certificate in it/);
  } finally {
    await origin.stop();
    for (const each of [strict, trusting, broken]) each.remove();
    rmSync(made, { recursive: true });
  }
});

test("pages: in each style, and a source that goes round in circles", { skip, timeout: 60000 }, async () => {
  const json = (value, heads = "") => whole(JSON.stringify(value), `Content-Type: application/json\r\n${heads}`);
  const asked = (head) => new URL(/^\S+ (\S+)/.exec(head)[1], "http://h").searchParams;
  const origin = await start({
    link: (socket, head) => { const n = Number(asked(head).get("n") ?? 1); socket.write(json([n], n < 3 ? `Link: <?n=${n + 1}&x=a,b>; title="a; <b>"; rel="next last", </l?n=9>; rel="last"\r\n` : "")); },
    page: (socket, head) => { const n = Number(asked(head).get("p")); socket.write(json({ items: n < 4 ? [n] : [] })); },
    offset: (socket, head) => { const n = Number(asked(head).get("skip")); socket.write(json([1, 2, 3, 4, 5].slice(n, n + 2))); },
    cursor: (socket, head) => { const n = Number(asked(head).get("after") ?? 1); socket.write(json({ items: [n], meta: { next: n < 3 ? n + 1 : null } })); },
    link_circle: (socket, head) => socket.write(json([asked(head).get("n")], `Link: </?n=${asked(head).get("n") === "1" ? 2 : 1}>; rel=next\r\n`)),
    page_circle: (socket) => socket.write(json([1, 2])),
    cursor_circle: (socket) => socket.write(json({ next: "again" })),
    endless: (socket, head) => socket.write(json([Number(asked(head).get("p"))])),
  });
  const p = project(`local source = {}
${Object.entries(origin.url).map(([name, url]) => source(name, url)).join("\n")}
local opts = { page = { page = "p", at = "items" }, offset = { offset = "skip" }, cursor = { cursor = "after", next = "meta.next" },
  page_circle = { page = "p" }, cursor_circle = { cursor = "after", next = "next" }, endless = { page = "p" }, most = { page = "p", max = 7 } }
dts.pipeline { name = "ask", run = function(ctx)
  for _, name in ipairs { "link", "page", "offset", "cursor", "link_circle", "page_circle", "cursor_circle", "endless", "most" } do
    keep(ctx, name, function()
      local got = {}
      for page in (source[name] or source.endless):pages("/", opts[name]) do
        local all = page:json()
        for _, n in ipairs(all.items or all) do got[#got + 1] = n end
        if all.next then got[#got + 1] = all.next end
      end
      return table.concat(got, " ")
    end)
  end
end }`);
  try {
    const said = await p.ask();
    assert.deepEqual([said.link.text, said.page.text, said.offset.text, said.cursor.text], ["1 2 3", "1 2 3", "1 2 3 4 5", "1 2 3"]);
    assert.equal(said.most.text, "1 2 3 4 5 6 7");
    for (const name of ["link_circle", "page_circle", "cursor_circle"]) assert.equal(said[name].code, "PAGES_LOOP", `${name}: ${said[name].text}`);
    assert.ok(origin.seen.link_circle.length <= 4 && origin.seen.page_circle.length === 2 && origin.seen.cursor_circle.length === 2);
    assert.equal(said.endless.code, "LIMIT_PAGES");
    assert.equal(origin.seen.endless.length, 107);
  } finally {
    await origin.stop();
    p.remove();
  }
});

test("what a request says: query, forms, JSON, and nothing smuggled into its head", { skip, timeout: 60000 }, async () => {
  const bodies = {};
  const origin = await start({
    own: (socket, head) => {
      const [, name] = /x-name: (\S+)/i.exec(head) ?? [];
      bodies[name] = head;
      if (head.startsWith("POST /v1/moved")) return socket.end(whole("", "Location: /seen\r\n", `${/\d{3}/.exec(head)[0]} Moved`));
      return socket.end(whole("fine"));
    },
  });
  const p = project(`local own = dts.source { name = "own", url = "${origin.url.own}/v1?always=1", headers = { ["X-Base"] = "b" } }
local asks = {
  query = { "GET", "/a", { query = { q = "ö &=+%/#?", list = { 1, 2.5, "x y" }, yes = true, none = dts.null } } },
  form = { "POST", "/a", { form = { a = { "1", "2" }, b = "ü & =" } } },
  json = { "POST", "/a", { json = { n = 9007199254740993, list = { 1 }, text = "ü" } } },
  delete = { "DELETE", "/a", {} },
  moved303 = { "POST", "/moved303", { json = { 1 } } },
  moved307 = { "POST", "/moved307", { json = { 1 } } },
  path = { "GET", "/a b\\r\\nX-Evil: 1/ü", {} },
  parent = { "GET", "/../../up", {} },
  whole = { "GET", "//127.0.0.1:1/x", {} },
  at = { "GET", "@127.0.0.1:1/x", {} },
  value = { "GET", "/a", { headers = { ["X-A"] = "1\\r\\nX-Evil: 1" } } },
  nul = { "GET", "/a", { headers = { ["X-A"] = "1\\0" } } },
  name = { "GET", "/a", { headers = { ["X-A: 1\\r\\nX-Evil"] = "1" } } },
  host = { "GET", "/a", { headers = { Host = "evil.example" } } },
  length = { "POST", "/a", { body = "x", headers = { ["Content-Length"] = "100" } } },
  coding = { "POST", "/a", { body = "x", headers = { ["transfer-encoding"] = "chunked" } } },
  method = { "GET / HTTP/1.1\\r\\nX-Evil: 1\\r\\n\\r\\n", "/a", {} },
  connect = { "CONNECT", "/a", {} },
}
dts.pipeline { name = "ask", run = function(ctx)
  for name, ask in pairs(asks) do
    keep(ctx, name, function()
      ask[3].headers = ask[3].headers or {}
      ask[3].headers["X-Name"] = name
      return own:request(ask[1], ask[2], ask[3]):text()
    end)
  end
end }`);
  try {
    const said = await p.ask();
    const first = (name) => bodies[name].split("\r\n")[0];
    const content = (name) => bodies[name].slice(bodies[name].indexOf("\r\n\r\n") + 4);
    for (const name of ["value", "nul", "name", "host", "length", "coding", "method", "connect"]) assert.equal(said[name].code, "HTTP_REQUEST", `${name}: ${said[name].text}`);
    assert.equal(first("query"), "GET /v1/a?always=1&list=1&list=2.5&list=x%20y&q=%C3%B6%20%26%3D%2B%25%2F%23%3F&yes=true HTTP/1.1");
    assert.equal(content("form"), "a=1&a=2&b=%C3%BC%20%26%20%3D");
    assert.match(bodies.form, /content-type: application\/x-www-form-urlencoded\r/i);
    assert.deepEqual(content("json").match(/9007199254740993|"list":\[1\]|"text":"Ã¼"/g).length, 3);
    assert.equal(first("delete"), "DELETE /v1/a?always=1 HTTP/1.1");
    assert.ok(first("moved303").startsWith("GET /seen") && !/content-(type|length)/i.test(bodies.moved303), bodies.moved303);
    assert.ok(first("moved307").startsWith("POST /seen") && content("moved307") === "[1]", bodies.moved307);
    assert.equal(first("path"), "GET /v1/a%20b%0D%0AX-Evil:%201/%C3%BC?always=1 HTTP/1.1");
    for (const name of ["parent", "whole", "at"]) assert.ok(bodies[name].includes(`Host: ${new URL(origin.url.own).host}\r\n`), bodies[name]);
    assert.equal(Object.values(bodies).filter((head) => /^x-evil/im.test(head)).length, 0);
  } finally {
    await origin.stop();
    p.remove();
  }
});
