// The sources on loopback: bcb, ptax, ecb, yahoo, stooq, anp and vega behind one port, each at its own paths.
// Prints {"port":N} when it serves; ends on SIGTERM, or by itself after $LIFETIME seconds (900).
//
//   TEST_DATA=DIR [LOG=requests.ndjson] [FAULTS='[…]'] [PORT=0] [TODAY=2023-12-29] node sources.mjs
//
// Each request is one line of LOG and of GET /_requests. Faults are a list, set by FAULTS or POST /_faults:
//   { "match": "part of path and query", "times": 2 (for ever if not said), and one of
//     "status": 429, "retry_after": 1 · "body": "…" (with status 200) · "never": ["2023-03-15"] (dates left out) ·
//     "vintage": 1 (the unfinished download of a share) · "delay_ms": 500 · "cut": true (the connection ends midway) }
// A fault for a single request may stand in its query: ?_fault={"status":500}
// SPDX-License-Identifier: MIT
import { createServer } from "node:http";
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { Data } from "./data.mjs";
import { answers } from "./answers.mjs";

const data = new Data(process.env.TEST_DATA);
const settings = { today: process.env.TODAY };
const requests = [];
let faults = JSON.parse(process.env.FAULTS ?? "[]");

function takeFaults(url) {
  const own = url.searchParams.get("_fault");
  const whole = decodeURIComponent(url.pathname) + decodeURIComponent(url.search);
  const found = faults.filter((f) => whole.includes(f.match ?? "") && f.times !== 0);
  for (const f of found) if (f.times !== undefined) f.times -= 1;
  return Object.assign({}, ...found, own ? JSON.parse(own) : {});
}

function faulty(source, fault) {
  const headers = fault.retry_after === undefined ? {} : { "Retry-After": String(fault.retry_after) };
  return { source, status: fault.status ?? 200, type: "text/plain; charset=utf-8", body: fault.body ?? "", headers };
}

function answerTo(url, fault) {
  const path = decodeURIComponent(url.pathname);
  const { source, path: pattern, answer } = answers.find((a) => a.path.test(path)) ?? { source: "none" };
  if (fault.status || fault.body !== undefined) return { ...faulty(source, fault), faulty: true };
  if (!answer) return { source, status: 404, type: "text/plain; charset=utf-8", body: "Not Found" };
  const never = (date) => (fault.never ?? []).includes(date);
  const given = { match: pattern.exec(path), query: url.searchParams, data, never };
  return { source, ...answer({ ...given, settings: { ...settings, vintage: fault.vintage } }) };
}

function note(request, url, answer) {
  const line = {
    at: new Date().toISOString(), method: request.method, source: answer.source, path: decodeURIComponent(url.pathname),
    query: Object.fromEntries(url.searchParams), status: answer.status, agent: request.headers["user-agent"],
    authorized: "authorization" in request.headers, conditional: "if-none-match" in request.headers,
  };
  requests.push(line);
  if (process.env.LOG) appendFileSync(process.env.LOG, JSON.stringify(line) + "\n");
}

function send(response, answer, fault) {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { "Content-Type": answer.type, "Content-Length": body.length, ...answer.headers });
  if (!fault.cut) return response.end(body);
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

function serve(request, response) {
  const url = new URL(request.url, "http://loopback");
  const fault = takeFaults(url);
  const answer = answerTo(url, fault);
  if (answer.status === 200 && !answer.faulty) {
    const tag = `"${createHash("sha256").update(answer.body).digest("hex").slice(0, 32)}"`;
    answer.headers = { ETag: tag };
    if (request.headers["if-none-match"] === tag) Object.assign(answer, { status: 304, body: "" });
  }
  note(request, url, answer);
  setTimeout(() => send(response, answer, fault), fault.delay_ms ?? 0);
}

function control(request, response, path) {
  const reply = (value) => response.end(JSON.stringify(value));
  if (path === "/_requests") return reply(request.method === "DELETE" ? requests.splice(0) : requests);
  let text = "";
  request.on("data", (part) => { text += part; });
  request.on("end", () => {
    try {
      faults = request.method === "DELETE" ? [] : JSON.parse(text);
      reply(faults);
    } catch (error) {
      response.writeHead(400).end(`a list of faults in JSON expected: ${error.message}`);
    }
  });
}

const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  try {
    if (path === "/_requests" || path === "/_faults") control(request, response, path);
    else serve(request, response);
  } catch (error) {
    response.writeHead(400, { "Content-Type": "text/plain" }).end(error.message);
  }
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.on("SIGTERM", () => process.exit(0));
setTimeout(() => process.exit(0), Number(process.env.LIFETIME ?? 900) * 1000);
