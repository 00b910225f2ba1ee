// dts run --record against a real origin that repeats every secret it is told, and --replay and t:replay without it: the
// same rows, no network, no secret in the file.
// SPDX-License-Identifier: MIT
import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Page, skip } from "../docs/page.mjs";

const SECRET = 'k3y w/&"ird';
const SCRIPT = `
local dts = require "dts"
local origin = dts.source { name = "origin", url = "https://origin.example", headers = { ["X-Key"] = "{secret:KEY}" } }
dts.table { name = "seen", key = { "k" }, columns = { "k text", "v text" } }
dts.pipeline { name = "seen", run = function(ctx)
  local function keep(k, v) ctx:put("seen", { k = k, v = tostring(v) }) end
  origin:get("/echo", { query = { day = dts.today(), api_key = "literal" } })
  keep("csv", dts.hash(origin:get("/csv"):text()))
  keep("binary", dts.hash(origin:get("/binary"):text()))
  keep("large", dts.hash(origin:get("/large"):text()))
  keep("moved", origin:get("/moved"):text())
  keep("gone", origin:get("/gone", { accept = { 404 } }).status)
  keep("posted", origin:post("/post", { json = { a = 1, b = { 2.5 }, c = "x" } }):json().a)
  keep("first", origin:get("/count"):json().n)
  keep("second", origin:get("/count"):json().n)
  for i, path in ipairs(dts.each({ "/p/1", "/p/2", "/p/3" }, function(path) return origin:get(path):json().path end)) do
    keep("p" .. i, path)
  end
end }
dts.pipeline { name = "other", run = function() origin:get("/csw") end }
`;
const SPEC = `
local dts = require "dts"
it("replays, and a function of the spec comes first", function()
  local t <close> = dts.test { replay = "seen.json" }
  assert.equal("done", t:run("seen").state)
  assert.equal(11, t:count("seen"))
  t:http("origin", function(req) if req.path == "/csw" then return "here" end end)
  assert.equal("done", t:run("other").state)
end)
it("names the nearest of a request that is not there", function()
  local t <close> = dts.test { now = "2020-01-01" }
  t:replay("seen.json")
  local ok, fault = pcall(t.run, t, "other")
  assert.is_false(ok)
  assert.matches("has no answer for GET http.*/csw; the nearest that it has is GET http.*/csv", tostring(fault))
end)
`;

function answer(request, response, body, count) {
  const json = (value) => { response.setHeader("content-type", "application/json"); response.end(JSON.stringify(value)); };
  response.setHeader("set-cookie", "session=tasty");
  if (request.url.startsWith("/echo")) {
    const key = request.headers["x-key"];
    return json({ key, url: encodeURIComponent(key), basic: Buffer.from(`me:${key}`).toString("base64"),
      hex: Buffer.from(key).toString("hex"), access_token: "fresh-token" });
  }
  if (request.url === "/csv") return response.end("a;b\r\n1;ä\r\n");
  if (request.url === "/binary") return response.end(Buffer.from([0, 255, 1, 254, 10]));
  if (request.url === "/large") return response.end("1,2\n".repeat(100000));
  if (request.url === "/moved") { response.writeHead(302, { location: "/csv" }); return response.end(); }
  if (request.url === "/gone") { response.statusCode = 404; return response.end("gone"); }
  if (request.url === "/post") return json(JSON.parse(body));
  return json({ n: count, path: request.url });
}

describe("a recording", { skip }, () => {
  let page, server, rows, count = 0;
  const all = () => ["seen.json", ...readdirSync(join(page.folder, "seen.json.bodies")).map((name) => `seen.json.bodies/${name}`)]
    .map((name) => readFileSync(join(page.folder, name), "utf8")).join("\n");

  before(async () => {
    page = new Page();
    await page.begin();
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => { body += chunk; });
      request.on("end", () => answer(request, response, body, ++count));
    });
    await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
    for (const folder of ["pipelines", "specs", "secrets"]) mkdirSync(join(page.folder, folder));
    writeFileSync(join(page.folder, "pipelines/seen.lua"), SCRIPT);
    writeFileSync(join(page.folder, "specs/seen_spec.lua"), SPEC);
    writeFileSync(join(page.folder, "secrets/KEY"), SECRET);
    chmodSync(join(page.folder, "secrets/KEY"), 0o600);
    writeFileSync(join(page.folder, "dts.lua"), `return { sources = { origin = "http://127.0.0.1:${server.address().port}" } }`);
    const { status, output } = await page.type("dts run seen --record seen.json");
    assert.equal(status, 0, output);
    assert.match(output, /seen\.json: 12 exchanges kept/);
    rows = (await page.type("dts sql --json 'select * from seen order by k'")).output;
    server.closeAllConnections();
    await new Promise((done) => { server.close(done); });
  });
  after(() => page.end());

  it("holds no secret in any spelling", () => {
    const text = all();
    for (const form of ["k3y", "6b3379", Buffer.from(`me:${SECRET}`).toString("base64").slice(4, -4), "literal", "fresh-token", "tasty", "cookie"])
      assert.ok(!text.includes(form), form);
    assert.match(text, /"key": "\*+"/); // as the script saw it
    assert.match(text, /api_key=\{hidden\}/);
  });

  it("is read by people: lines of text, JSON as JSON, large bodies aside", () => {
    const made = JSON.parse(readFileSync(join(page.folder, "seen.json"), "utf8"));
    assert.deepEqual(made.exchanges[1].reply.text, ["a;b\r\n", "1;ä\r\n"]);
    assert.deepEqual(made.exchanges[2].reply.base64, ["AP8B/go="]);
    assert.equal(made.exchanges[3].reply.size, 400000);
    assert.ok(existsSync(join(page.folder, made.exchanges[3].reply.file)));
    assert.deepEqual(made.exchanges[6].request.json, { a: 1, b: [2.5], c: "x" });
    assert.deepEqual(made.exchanges.slice(-3).map(({ request }) => new URL(request.url).pathname), ["/p/1", "/p/2", "/p/3"]);
  });

  it("gives the same rows again, without network and secret", async () => {
    rmSync(join(page.folder, "var"), { recursive: true });
    renameSync(join(page.folder, "secrets"), join(page.folder, "hidden"));
    const { status, output } = await page.type("dts run seen --replay seen.json");
    assert.equal(status, 0, output);
    assert.equal((await page.type("dts sql --json 'select * from seen order by k'")).output, rows);
  });

  it("names the nearest of a request that it does not have", async () => {
    const { status, output } = await page.type("dts run other --replay seen.json");
    assert.equal(status, 1);
    assert.match(output, /has no answer for GET \S+\/csw; the nearest that it has is GET \S+\/csv /);
  });

  it("answers in specs", async () => {
    const { status, output } = await page.type("dts test");
    assert.equal(status, 0, output);
  });

  it("is refused where it is none", async () => {
    writeFileSync(join(page.folder, "none.json"), "[1,");
    assert.match((await page.type("dts run seen --replay none.json")).output, /none\.json: line 1/);
    assert.equal((await page.type("dts run seen --replay seen.json --record x.json")).status, 2);
  });
});
