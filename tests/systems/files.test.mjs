// The system files: a key, a presigned upload, a file processed when it arrives; a broken one set aside with its line and
// given back corrected; records by API; a mail when a file was set aside, and one when that is over.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../servers/start.mjs";
import { pause, project, skip, until } from "./project.mjs";

const bytes = (name) => readFileSync(join(process.env.TEST_DATA, "fuel", name));
const glp = () => bytes("anp-ultimas-4-semanas-glp.csv");
const quick = { "pipelines/files/page.lua": [['name = "file_quarantined", every = "1m"', 'name = "file_quarantined", every = "1s"']] };
const NAME = "anp-ultimas-4-semanas-glp.csv";
let p;
let engine;
let key;
let mail;
let box;

before(async () => {
  if (skip) return;
  box = mkdtempSync(join(tmpdir(), "dts-mail-"));
  mail = await start("mail", { MAILBOX: box });
  p = project({}, quick, `  mail = { server = "smtp://127.0.0.1:${mail.port}", from = "dts@example.org" },\n  alerts = { to = { "mailto:ana@example.org" } },\n`);
  engine = await p.serve();
  const made = await p.dts("key", "add", "uploads", "--scope", "read,write");
  assert.equal(made.status, 0, made.err);
  [key] = made.out.split("\n");
});
after(async () => {
  await p?.remove();
  await mail?.stop();
  if (box) rmSync(box, { recursive: true });
});

const withKey = (path, options = {}) => fetch(engine.url + path, { ...options, headers: { Authorization: `Bearer ${key}` } });
const presign = async (name) => {
  const reply = await withKey("/api/v1/uploads", { method: "POST", body: JSON.stringify({ name }) });
  return { status: reply.status, ...(await reply.json()) };
};
const put = (url, body) => fetch(engine.url + url, { method: "PUT", body });
const count = async (sql) => (await engine.rows(sql))[0].n;
const state = async (name) => (await engine.rows(`select state from dts_files where name = '${name}' order by id desc`))[0]?.state;
const arrived = (name, wanted = "done") => until(`${name} to be ${wanted}`, async () => (await state(name)) === wanted);
const broken = () => {
  const lines = bytes("derived-latin1-anp-glp.csv").toString("latin1").split("\r\n");
  const fields = lines[499].split(";");
  fields[12] = "one hundred";
  lines[499] = fields.join(";");
  return Buffer.from(lines.join("\r\n"), "latin1");
};

test("uploaded to a presigned address without a key, processed when it arrives: as the oracle counts it", { skip, timeout: 60000 }, async () => {
  assert.equal((await fetch(`${engine.url}/api/v1/uploads`, { method: "POST", body: "{}" })).status, 401);
  const given = await presign(NAME);
  assert.deepEqual([given.status, given.method], [201, "PUT"]);
  const reply = await put(given.url, glp());
  assert.equal(reply.status, 201);
  assert.equal((await reply.json()).pipeline, "records");
  await arrived(NAME);
  const [want] = JSON.parse(readFileSync(join(process.env.TEST_DATA, "oracle-duckdb.json"), "utf8")).fuel;
  const [all] = want.by_product;
  const [sum] = await engine.rows("select count(*) as n, min(price) as mn, max(price) as mx, avg(price) as av from records");
  assert.deepEqual([sum.n, sum.mn, sum.mx], [Number(all.n), Number(all.mn), Number(all.mx)]);
  assert.equal(sum.n, 18652);
  assert.ok(Math.abs(sum.av - all.av) < 1e-6);
  const states = await (await withKey("/api/records/summary")).json();
  assert.deepEqual(states.map((s) => `${s.state} ${s.prices} ${s.mean.toFixed(4)}`).sort(), want.by_state.map((s) => `${s.uf} ${s.n} ${s.av.toFixed(4)}`).sort());
});

test("the same content is not processed twice", { skip }, async () => {
  const runs = await count("select count(*) as n from dts_runs where pipeline = 'records'");
  assert.equal((await put((await presign(NAME)).url, glp())).status, 201);
  p.write(`incoming/${NAME}`, glp());
  await pause(2500);
  assert.equal(await count("select count(*) as n from dts_runs where pipeline = 'records'"), runs);
});

test("an address that was altered, used for another name, or that is past its time is refused", { skip }, async () => {
  const { url } = await presign("anp-other.csv");
  const refused = async (address) => { const { status } = await put(address, "x"); assert.ok(status === 401 || status === 403, `${status} for ${address}`); };
  await refused(url.replace("anp-other", "anp-else"));
  await refused(url.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
  const [, seconds] = /[?&]expires=(\d+)/.exec(url);
  await refused(url.replace(seconds, String(Number(seconds) + 1000)));
  await refused(url.replace(seconds, "1"));
  await refused(url.split("?")[0]);
  assert.equal(await count("select count(*) as n from dts_files where name like 'anp-other%' or name like 'anp-else%'"), 0);
  const signed = (expires) => {
    const text = `PUT\nanp-other.csv\n-1\n${expires}`;
    const mac = createHmac("sha256", readFileSync(join(p.folder, "var/secret"))).update(text).digest("hex");
    return url.replace(seconds, String(expires)).replace(/signature=\w+/, `signature=${mac}`);
  };
  assert.equal(signed(Number(seconds)), url);
  const late = await put(signed(Number(seconds) - 16 * 60 * (seconds.length > 11 ? 1000 : 1)), "x");
  assert.deepEqual([late.status, (await late.json()).error.code], [403, "EXPIRED"]);
  const unwanted = await presign("holiday.jpg");
  const status = unwanted.status === 201 ? (await put(unwanted.url, "x")).status : unwanted.status;
  assert.equal(status, 409);
});

test("a file in Latin-1 is read as what it says", { skip }, async () => {
  p.write("incoming/anp-old.csv", bytes("derived-latin1-anp-glp.csv"));
  await arrived("anp-old.csv");
  const stored = await engine.rows("select city, brand from records where file = 'anp-old.csv'");
  const real = new Set(glp().toString("utf8").split("\r\n").map((line) => line.split(";")[2]));
  assert.equal(stored.length, 2000);
  assert.ok(stored.some((r) => r.brand === "LIQUIGÁS"));
  for (const { city } of stored) assert.ok(real.has(city), city);
});

test("the weekly survey, whose absent values are dashes", { skip, timeout: 60000 }, async () => {
  const text = bytes("anp-weekly-gasoline-by-state-2004-2011.csv").toString("latin1");
  p.write("incoming/weekly-2004-2011.csv", text);
  await arrived("weekly-2004-2011.csv");
  const [head, ...lines] = text.trim().split(/\r?\n/).map((l) => l.split(","));
  const at = (name) => head.indexOf(name);
  const [sum] = await engine.rows(`select count(*) as n, avg(price) as price, sum(stations) as stations, count(margin) as margins from weekly_survey`);
  const numbers = (name) => lines.map((l) => l[at(name)]).filter((v) => v !== "-" && v !== "").map(Number);
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  assert.equal(sum.n, lines.length);
  assert.equal(sum.stations, numbers("No_of_Gas_Stations_Analyzed").reduce((a, b) => a + b, 0));
  assert.equal(sum.margins, numbers("Mean_Price_Margin").length);
  assert.ok(sum.margins < sum.n);
  assert.ok(Math.abs(sum.price - mean(numbers("Mean_Price"))) < 1e-9);
});

test("a broken file is in quarantine with its line and nothing of it is stored; a mail says so; corrected, it is clean", { skip, timeout: 60000 }, async () => {
  p.write("incoming/anp-broken.csv", broken());
  await arrived("anp-broken.csv", "quarantined");
  const [aside] = await engine.rows("select id, name, line, error from dts_quarantine where pipeline = 'records'");
  assert.deepEqual([aside.name, aside.line], ["anp-broken.csv", 500]);
  assert.match(aside.error, /price.*"one hundred".*line 500 of anp-broken\.csv/);
  assert.equal(await count("select count(*) as n from records where file = 'anp-broken.csv'"), 0);

  const letter = await until("a mail about it", () => readdirSync(box).map((f) => readFileSync(join(box, f), "utf8")).find((m) => m.includes("file_quarantined")));
  assert.match(letter, /^X-Envelope-To: ana@example\.org/m);
  assert.match(letter, /^Subject: .*file_quarantined/m);
  assert.match(letter, /anp-broken\.csv/);

  const corrected = join(p.folder, "corrected.csv");
  writeFileSync(corrected, bytes("derived-latin1-anp-glp.csv"));
  const released = await p.dts("quarantine", "release", aside.id, "--with", corrected);
  assert.equal(released.status, 0, released.err + released.out);
  await until("its records", async () => (await count("select count(*) as n from records where file = 'anp-broken.csv'")) === 2000);
  assert.equal(await count("select count(*) as n from dts_quarantine where pipeline = 'records'"), 0);
  await until("a mail that it is over", () => readdirSync(box).some((f) => /^Subject: .*file_quarantined: recovered/m.test(readFileSync(join(box, f), "utf8"))));
});

test("records are given by the API to who has a key", { skip }, async () => {
  assert.equal((await fetch(`${engine.url}/api/records`)).status, 401);
  const list = await (await withKey("/api/records?state=AC&limit=1000")).json();
  assert.equal(list.length, 152);
  assert.deepEqual([...new Set(list.map((r) => r.state))], ["AC"]);
  assert.equal((await withKey("/api/records?date=soon")).status, 422);
  await p.dts("key", "revoke", "uploads");
  assert.equal((await withKey("/api/records")).status, 401);
});
