// The stand-in sources answer as the real ones do: date ranges, empty ranges, faults; Prism and the mail server serve.
// SPDX-License-Identifier: MIT
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "./start.mjs";

const skip = process.env.TEST_DATA ? false : "TEST_DATA is not set: no outside data to serve";
let sources;
const get = (path) => fetch(sources.url + path);
const getJson = async (path) => (await get(path)).json();
const getLines = async (path) => (await (await get(path)).text()).trim().split(/\r?\n/);
const faults = (list) => fetch(`${sources.url}/_faults`, { method: "POST", body: JSON.stringify(list) });
const sgs = (code, from, to) => `/dados/serie/bcdata.sgs.${code}/dados?formato=json&dataInicial=${from}&dataFinal=${to}`;
const chart = (symbol, from, to) =>
  `/v8/finance/chart/${symbol}?period1=${Date.parse(from) / 1000}&period2=${Date.parse(to) / 1000}&interval=1d`;

before(async () => { if (!skip) sources = await start("sources"); });
after(async () => { await sources?.stop(); });

test("SGS gives the dates asked for, both ends included, and 404 for a weekend", { skip }, async () => {
  assert.deepEqual(await getJson(sgs(1, "01/12/2023", "05/12/2023")), [
    { data: "01/12/2023", valor: "4.9191" }, { data: "04/12/2023", valor: "4.9091" }, { data: "05/12/2023", valor: "4.9522" },
  ]);
  assert.equal((await get(sgs(1, "02/12/2023", "03/12/2023"))).status, 404);
  assert.equal((await get(sgs(1, "01/01/2010", "01/01/2023"))).status, 406);
  assert.equal((await get(sgs(1, "31/02/2023", "01/03/2023"))).status, 400);
  assert.equal((await get("/dados/serie/bcdata.sgs.1/dados?formato=json")).status, 400);
  assert.equal((await getJson(sgs(11, "04/06/2020", "04/06/2020")))[0].valor, "0.011345");
});

test("PTAX takes quoted dates, month first, and gives an empty list where there is none", { skip }, async () => {
  const path = (from, to) => "/olinda/servico/PTAX/versao/v1/odata/CotacaoDolarPeriodo(dataInicial=@dataInicial,"
    + `dataFinalCotacao=@dataFinalCotacao)?%40dataInicial='${from}'&%40dataFinalCotacao='${to}'&$format=json`;
  assert.deepEqual((await getJson(path("12-28-2023", "12-31-2023"))).value.map((p) => p.cotacaoVenda), [4.8413, 4.8413]);
  assert.deepEqual((await getJson(path("12-30-2023", "12-31-2023"))).value, []);
  assert.equal((await get(path("2023-12-30", "12-31-2023"))).status, 500);
});

test("the ECB's files hold 90 days and everything, newest first", { skip }, async () => {
  const recent = await (await get("/stats/eurofxref/eurofxref-hist-90d.xml")).text();
  const days = [...recent.matchAll(/time="([^"]+)"/g)].map((m) => m[1]);
  assert.equal(days[0], "2023-12-29");
  assert.equal(days.length, 63);
  assert.match(recent, /<Cube time="2023-12-29"><Cube currency="USD" rate="1\.105"\/>/);
  const all = await (await get("/stats/eurofxref/eurofxref-hist.xml")).text();
  assert.equal([...all.matchAll(/time="/g)].length, 6402);
  assert.doesNotMatch(all, /N\/A/);
});

test("Yahoo leaves the end of the period out, in the chart and in the export", { skip }, async () => {
  const { result: [xom] } = (await getJson(chart("XOM", "2024-01-02", "2024-01-04"))).chart;
  assert.deepEqual(xom.indicators.quote[0].close, [102.360001, 103.220001]);
  assert.deepEqual(xom.timestamp.map((s) => new Date(s * 1000).toISOString().slice(0, 10)), ["2024-01-02", "2024-01-03"]);
  const weekend = (await getJson(chart("XOM", "2024-01-06", "2024-01-08"))).chart.result[0];
  assert.equal(weekend.timestamp, undefined);
  assert.equal((await get(chart("XOM", "2010-01-06", "2010-01-08"))).status, 400);
  assert.equal((await get(chart("NONE", "2024-01-06", "2024-01-08"))).status, 404);
  const lines = await getLines(chart("CVX", "2023-03-03", "2023-03-07").replace("v8/finance/chart", "v7/finance/download"));
  assert.equal(lines.length, 3);
  assert.equal(lines[1], "2023-03-03,160.869995,165.580002,160.419998,164.960007,158.398376,6007500");
});

test("an unfinished row is repaired in the next download", { skip }, async () => {
  const path = chart("PETR3.SA", "2020-07-07", "2020-07-08");
  await faults([{ match: "PETR3", vintage: 1, times: 1 }]);
  assert.equal((await getJson(path)).chart.result[0].indicators.quote[0].open[0], 0);
  assert.ok((await getJson(path)).chart.result[0].indicators.quote[0].open[0] > 22);
});

test("Stooq takes compact dates, and answers in words when there is nothing", { skip }, async () => {
  const lines = await getLines("/q/d/l/?s=xom.us&d1=20100423&d2=20100427&i=d");
  assert.equal(lines.length, 4);
  assert.equal(lines[2], "2010-04-26,42.9362,43.2708,42.9099,43.118");
  assert.deepEqual(await getLines("/q/d/l/?s=xom.us&d1=20300101&d2=20300131&i=d"), ["No data"]);
});

test("ANP and Vega files come byte for byte, with a validator", { skip }, async () => {
  const anp = await get("/anp/pt-br/centrais-de-conteudo/dados-abertos/arquivos/shpc/qus/ultimas-4-semanas-glp.csv");
  const bytes = Buffer.from(await anp.arrayBuffer());
  assert.deepEqual(bytes, readFileSync(join(process.env.TEST_DATA, "fuel/anp-ultimas-4-semanas-glp.csv")));
  const again = await fetch(anp.url, { headers: { "If-None-Match": anp.headers.get("etag") } });
  assert.equal(again.status, 304);
  for (const name of ["stocks.csv", "gapminder.json", "unemployment.tsv"]) {
    assert.equal((await get(`/vega-datasets/data/${name}`)).status, 200);
    assert.equal((await get(`/${name}`)).status, 200);
  }
  assert.equal((await get("/missing.csv")).status, 404);
});

test("faults: a date that never comes, 429 twice, 500 once in the query, a cut connection", { skip }, async () => {
  await faults([{ match: "sgs.1/", never: ["2023-12-04"] }, { match: "/q/d/l/", status: 429, retry_after: 1, times: 2 },
    { match: "/stocks.csv", cut: true, times: 1 }]);
  assert.deepEqual((await getJson(sgs(1, "01/12/2023", "05/12/2023"))).map((p) => p.data), ["01/12/2023", "05/12/2023"]);
  const stooq = "/q/d/l/?s=xom.us&d1=20100423&d2=20100427&i=d";
  const first = await get(stooq);
  assert.deepEqual([first.status, first.headers.get("retry-after")], [429, "1"]);
  assert.equal((await get(stooq)).status, 429);
  assert.equal((await get(stooq)).status, 200);
  assert.equal((await get(`${stooq}&_fault={"status":500}`)).status, 500);
  await assert.rejects(async () => (await get("/stocks.csv")).text());
  assert.equal((await get("/stocks.csv")).status, 200);
});

test("each request is noted with its range and status", { skip }, async () => {
  await fetch(`${sources.url}/_faults`, { method: "DELETE" });
  await fetch(`${sources.url}/_requests`, { method: "DELETE" });
  await get(sgs(1, "01/12/2023", "05/12/2023"));
  const [line] = await getJson("/_requests");
  assert.deepEqual([line.source, line.status, line.query.dataInicial], ["bcb", 200, "01/12/2023"]);
});

test("Prism answers as GitHub's own description says", { skip, timeout: 60000 }, async () => {
  const github = await start("github");
  try {
    const repo = await (await fetch(`${github.url}/repos/apache/spark`)).json();
    assert.equal(repo.full_name, "octocat/Hello-World");
    assert.equal(typeof repo.stargazers_count, "number");
    const page = await (await fetch(`${github.url}/search/repositories?q=topic:data&per_page=100`)).json();
    assert.equal(page.items[0].full_name, "dtrupenn/Tetris");
    assert.equal((await fetch(`${github.url}/search/repositories`)).status, 422);
  } finally {
    await github.stop();
  }
});

// One message over a bare socket: each line waits for the reply to the one before it.
function mailed(port, lines) {
  return new Promise((resolve, reject) => {
    const replies = [];
    const socket = connect(port, "127.0.0.1").on("error", reject).on("close", () => resolve(replies));
    socket.on("data", (data) => {
      replies.push(data.toString().slice(0, 3));
      if (lines.length) socket.write(lines.shift() + "\r\n"); else socket.end();
    });
  });
}

test("the mail server keeps a message with its envelope", async () => {
  const box = mkdtempSync(join(tmpdir(), "mail-"));
  const mail = await start("mail", { MAILBOX: box });
  try {
    const replies = await mailed(mail.port, ["HELO here", "MAIL FROM:<dts@example.org>", "RCPT TO:<ana@example.org>", "DATA",
      "Subject: fuel_stale\r\n\r\nNo new price since Tuesday.\r\n.", "QUIT"]);
    assert.deepEqual(replies, ["220", "250", "250", "250", "354", "250", "221"]);
    assert.deepEqual(readdirSync(box), ["1.eml"]);
    const text = readFileSync(join(box, "1.eml"), "utf8");
    assert.match(text, /^X-Envelope-From: dts@example\.org\r\nX-Envelope-To: ana@example\.org\r\nSubject: fuel_stale\r\n/);
    assert.match(text, /No new price since Tuesday\./);
  } finally {
    await mail.stop();
    rmSync(box, { recursive: true });
  }
});
