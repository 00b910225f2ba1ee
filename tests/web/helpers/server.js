// A stand-in for the engine: serves web/dist as the engine does (same policy, same headers) and
// answers the API of docs/api.md from fixtures. It remembers every request, and a test may put its
// own answer before the fixtures'.
//
// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { answer } from "../fixtures/answers.js";

const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../../../web/dist");
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css" };

function asset(response, name) {
  const path = resolve(dist, `${name}.gz`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run build" in web/ first`);
  response.writeHead(200, {
    "content-type": TYPES[name.split(".").pop()],
    "content-encoding": "gzip",
    "content-security-policy": POLICY,
    "cache-control": name === "index.html" ? "no-cache" : "max-age=31536000, immutable",
  });
  response.end(readFileSync(path));
}

function json(response, status, body, headers = {}) {
  if (status === 204) return response.writeHead(204, headers).end();
  const type = { "content-type": "application/json", "content-encoding": "gzip" };
  response.writeHead(status, { ...type, ...headers });
  response.end(gzipSync(JSON.stringify(body)));
}

async function bodyOf(request) {
  let text = "";
  for await (const part of request) text += part;
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return text;
  }
}

function openStream(state, request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": hello\n\n");
  state.streams.add(response);
  request.on("close", () => state.streams.delete(response));
}

function stream(response, lines) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const line of lines) response.write(`data: ${JSON.stringify(line)}\n\n`);
}

function serveApi(state, request, response, url, body) {
  const seen = { method: request.method, path: url.pathname, query: url.searchParams, body };
  state.requests.push(seen);
  const key = (request.headers.cookie ?? "").includes("session=good");
  const own = state.answers.get(`${seen.method} ${seen.path}`);
  const [status, reply, headers] = own
    ? own(seen)
    : answer({ ...seen, key: key || !state.needsKey });
  if ((request.headers.accept ?? "").includes("text/event-stream")) return stream(response, reply);
  json(response, status, reply, headers);
}

// A server on a free port of loopback. `needsKey` makes it refuse whoever has no session.
export async function startServer({ needsKey = false } = {}) {
  const state = { requests: [], answers: new Map(), streams: new Set(), needsKey };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/api/v1/stream") return openStream(state, request, response);
    if (/^\/(api|upload)\//.test(url.pathname)) {
      return serveApi(state, request, response, url, await bodyOf(request));
    }
    asset(response, url.pathname.startsWith("/assets/") ? url.pathname.slice(1) : "index.html");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: state.requests,
    answers: state.answers, // "GET /path" -> (request) => [status, body, headers?]
    streams: state.streams,
    tell: (event, data) => {
      for (const one of state.streams)
        one.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
