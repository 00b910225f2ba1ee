// The HTTP caching suite (TEST_DATA/suites/http-cache) held against what an engine without a notion of freshness owes:
// it always asks, asks with the validators that it remembers, believes a 304, and never gives an old body for a new one.
// Each run makes the next request of every case at once.
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DTS as PROGRAM } from "../program.mjs";

const SUITE = join(process.env.TEST_DATA ?? "", "suites/http-cache");
const skip = !existsSync(PROGRAM) ? `there is no ${PROGRAM}` : process.env.TEST_DATA && existsSync(SUITE) ? false : "no suites/http-cache in TEST_DATA";

// Cases of plain GETs, whose replies are of the kinds that a script is given as replies.
function cases() {
  const all = readdirSync(SUITE).filter((name) => name.endsWith(".json")).flatMap((name) => JSON.parse(readFileSync(join(SUITE, name), "utf8")).tests);
  const ours = ({ requests }) => requests.length > 1 && requests.length < 5 && requests.every((r) =>
    (r.request_method ?? "GET") === "GET" && (r.response_status?.[0] ?? 200) < 300 && !r.disconnect && !r.interim_responses && !r.query_arg && !r.filename);
  return all.filter(ours);
}

const SET_BY_ENGINE = /^(host|connection|content-length|content-encoding|transfer-encoding|te|upgrade|expect|trailer)$/i;
const date = (value) => (typeof value === "number" ? new Date(Date.now() + value * 1000).toUTCString() : String(value));
const latin = (text) => [...text].every((c) => c.charCodeAt(0) < 256 && c.charCodeAt(0) >= 32);

function serve(list) {
  const seen = list.map(() => []);
  const server = createServer((request, response) => {
    const id = Number(request.url.slice(1));
    const turn = seen[id].length;
    const { response_headers: heads = [], response_body: body } = list[id].requests[turn] ?? {};
    const before = seen[id].at(-1);
    const matches = before?.etag && request.headers["if-none-match"] === before.etag
      || !before?.etag && before?.modified && request.headers["if-modified-since"] === before.modified;
    const expected = list[id].requests[turn]?.expected_type ?? "";
    const given = Object.fromEntries(heads.filter(([name, value]) => latin(date(value)) && !SET_BY_ENGINE.test(name)).map(([name, value]) => [name.toLowerCase(), date(value)]));
    const text = body ?? `case ${id}, turn ${turn}`;
    const same = Boolean(matches && /validated/.test(expected));
    seen[id].push({ heads: request.headers, text: same ? before.text : text, etag: given.etag ?? (same ? before.etag : undefined), modified: given["last-modified"], same });
    for (const [name, value] of heads) if (latin(date(value)) && !SET_BY_ENGINE.test(name)) response.appendHeader(name, date(value));
    response.writeHead(same ? 304 : 200);
    response.end(same ? undefined : text);
  });
  return new Promise((done) => { server.listen(0, "127.0.0.1", () => done({ seen, port: server.address().port, stop: () => { server.closeAllConnections(); server.close(); } })); });
}

const lua = (value) => JSON.stringify(value).replaceAll(/[\u007f-\uffff]/g, (c) => [...new TextEncoder().encode(c)].map((b) => `\\${String(b).padStart(3, "0")}`).join(""));

function requests(list, turn) {
  return list.map(({ requests: all }, id) => {
    const heads = (all[turn]?.request_headers ?? []).filter(([name, value]) => !SET_BY_ENGINE.test(name) && latin(date(value)));
    return all[turn] ? `[${id}] = { ${heads.map(([name, value]) => `[${lua(name)}] = ${lua(date(value))}`).join(", ")} },` : "";
  }).join("\n");
}

function run(folder, ...args) {
  return new Promise((done, fail) => {
    const child = spawn(PROGRAM, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: 60000 });
    let said = "";
    child.stdout.on("data", (part) => { said += part; });
    child.stderr.on("data", (part) => { said += part; });
    child.on("error", fail);
    child.on("close", (status) => (status === 0 ? done(said) : fail(new Error(said))));
  });
}

test("validators: asked for anew each time, with what is remembered, and the right body given", { skip, timeout: 120000 }, async (t) => {
  const list = cases();
  const origin = await serve(list);
  const folder = mkdtempSync(join(tmpdir(), "dts-validators-"));
  mkdirSync(join(folder, "pipelines"));
  try {
    for (let turn = 0; turn < 4; turn++) {
      writeFileSync(join(folder, "pipelines/ask.lua"), `local dts = require "dts"
local own = dts.source { name = "own", url = "http://127.0.0.1:${origin.port}", concurrency = 32 }
dts.table { name = "said", key = { "id", "turn" }, columns = { "id integer", "turn integer", "v text", "same boolean" } }
local asks = {
${requests(list, turn)}
}
dts.pipeline { name = "ask", run = function(ctx)
  local ids = {}
  for id in pairs(asks) do ids[#ids + 1] = id end
  dts.each(ids, { concurrency = 32 }, function(id)
    local res = own:get("/" .. id, { headers = asks[id] })
    ctx:put("said", { id = id, turn = ${turn}, v = res:text(), same = res.unchanged })
  end)
end }`);
      await run(folder, "run", "ask");
    }
    const rows = JSON.parse(await run(folder, "sql", "--json", "select id, turn, v, same from said"));
    const said = new Map((rows.rows ?? rows).map((row) => (Array.isArray(row) ? row : [row.id, row.turn, row.v, row.same])).map(([id, at, v, same]) => [`${id} ${at}`, { v, same: Boolean(same) }]));
    let compared = 0;
    let validated = 0;
    for (const [id, { requests: all, id: name }] of list.entries()) {
      assert.equal(origin.seen[id].length, all.length, `${name}: asked each time`);
      for (const [turn, wanted] of all.entries()) {
        const { heads, text, same } = origin.seen[id][turn];
        const got = said.get(`${id} ${turn}`);
        assert.deepEqual(got, { v: text, same }, `${name}, turn ${turn}`);
        compared += 1;
        const plain = JSON.stringify(wanted.request_headers ?? []) === JSON.stringify(all[turn - 1]?.request_headers ?? []);
        if (!/validated/.test(wanted.expected_type ?? "") || !plain || /no-store/i.test(JSON.stringify(all[turn - 1]?.response_headers))) continue;
        assert.ok(heads["if-none-match"] ?? heads["if-modified-since"], `${name}, turn ${turn}: no condition`);
        validated += 1;
      }
    }
    t.diagnostic(`${list.length} cases, ${compared} replies compared, ${validated} validated`);
    assert.ok(list.length > 100 && validated > 0);
  } finally {
    origin.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
