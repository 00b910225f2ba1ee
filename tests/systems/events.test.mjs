// The system events: GitHub's own webhook payloads into ingest, each judged as ajv judged it; enriched, stored, counted
// by minute, kept raw; and nothing acknowledged is lost or doubled when the engine is killed.
// SPDX-License-Identifier: MIT
import { test } from "node:test";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pause, project, skip, until } from "./project.mjs";

const SECRET = "it is only a test";
const root = join(process.env.TEST_DATA ?? "", "events");
const environment = { DTS_SECRET_WEBHOOK: SECRET };
const sign = (body) => `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;

// The 204 payloads, as one NDJSON request for each type: { type, names, events }.
function batches() {
  const { own } = JSON.parse(readFileSync(join(root, "ajv-verdicts.json"), "utf8"));
  return readdirSync(join(root, "payloads")).sort().map((type) => {
    const verdicts = own.filter((v) => v.payload.startsWith(`${type}/`));
    const events = verdicts.map((v) => JSON.parse(readFileSync(join(root, "payloads", v.payload), "utf8")));
    return { type, verdicts, events };
  });
}

function send(engine, type, delivery, events, signature) {
  const body = events.map((e) => JSON.stringify(e)).join("\n") + "\n";
  const headers = {
    "Content-Type": "application/x-ndjson", "x-github-event": type, "x-github-delivery": delivery,
    "x-hub-signature-256": signature ?? sign(body),
  };
  return fetch(`${engine.url}/api/v1/ingest/webhooks`, { method: "POST", body, headers });
}

// The upstream schemas in the places where the pipeline looks for its own.
function upstream() {
  const p = project({});
  cpSync(join(root, "schemas"), join(p.folder, "schemas"), { recursive: true });
  return p;
}

test("each of 204 payloads is accepted or refused as ajv judged it, enriched, stored, counted and archived", { skip, timeout: 60000 }, async () => {
  const p = upstream();
  const engine = await p.serve(environment);
  try {
    const sent = batches();
    assert.equal(sent.flatMap((b) => b.events).length, 204);
    let accepted = 0;
    for (const { type, verdicts, events } of sent) {
      const reply = await send(engine, type, `d-${type}`, events);
      const answer = await reply.json();
      const refused = answer.refused.map((r) => r.line);
      assert.deepEqual(refused, verdicts.flatMap((v, i) => (v.valid ? [] : [i + 1])), `${type}: ${JSON.stringify(answer)}`);
      for (const r of answer.refused) assert.match(r.path, /^\/[a-z_/0-9]+$/, type);
      assert.equal(answer.accepted, events.length - refused.length, type);
      assert.equal(reply.status, answer.accepted ? 202 : 422);
      accepted += answer.accepted;
    }
    assert.equal(accepted, 202);
    await until("202 events in the store", async () => (await engine.rows("select count(*) as n from hooks"))[0].n === accepted);

    const again = await (await send(engine, "star", "d-star", sent.find((b) => b.type === "star").events)).json();
    assert.deepEqual([again.accepted, again.duplicates], [0, 2]);

    const teams = Object.fromEntries(readFileSync(join(p.folder, "data/teams.csv"), "utf8").trim().split("\n").map((l) => l.split(",")));
    const stored = await engine.rows("select id, event, action, repo, sender, team from hooks");
    for (const row of stored) assert.equal(row.team, teams[row.repo] ?? "none", row.id);
    assert.ok(new Set(stored.map((r) => r.team)).size > 1);
    const want = sent.flatMap((b) => b.events.flatMap((e, i) => (b.verdicts[i].valid
      ? [`d-${b.type}:${i + 1} ${b.type} ${e.action ?? null} ${e.repository?.full_name ?? null} ${e.sender?.login ?? null}`] : [])));
    assert.deepEqual(stored.map((r) => `${r.id} ${r.event} ${r.action} ${r.repo} ${r.sender}`).sort(), want.sort());

    await until("the minutes", async () => (await engine.rows("select sum(events) as n from hook_count_minute"))[0].n === accepted);
    const perMinute = await engine.rows("select event, sum(events) as n from hook_count_minute group by event");
    const counts = new Map();
    for (const r of stored) counts.set(r.event, (counts.get(r.event) ?? 0) + 1);
    assert.deepEqual(perMinute.map((r) => [r.event, r.n]).sort(), [...counts].sort());

    const refusals = await engine.rows("select pipeline, path from dts_refused");
    assert.deepEqual(refusals.map((r) => r.pipeline), ["webhooks", "webhooks"]);
    const archived = await p.rows("select source, day, count(*) as n from dts_archive group by source, day");
    assert.deepEqual(archived.map((r) => r.source), [archived[0].source]);
    assert.ok(archived[0].n >= sent.length, JSON.stringify(archived));

    const shown = await engine.chart("events", "Events by team");
    assert.equal(shown.reduce((n, r) => n + Object.values(r).at(-1), 0), accepted);
  } finally {
    await p.remove();
  }
});

test("a wrong signature, and none, let nothing in", { skip }, async () => {
  const p = project({});
  const engine = await p.serve(environment);
  try {
    const event = { action: "created", sender: { login: "a" } };
    assert.equal((await send(engine, "watch", "1", [event], sign("another body"))).status, 401);
    assert.equal((await send(engine, "watch", "2", [event], "")).status, 401);
    assert.equal((await send(engine, "watch", "3", [event], "sha256=00")).status, 401);
    assert.equal((await send(engine, "watch", "4", [event])).status, 202);
    await until("the signed event", async () => (await engine.rows("select id from hooks")).length);
    assert.deepEqual((await engine.rows("select id from hooks")).map((r) => r.id), ["4:1"]);
  } finally {
    await p.remove();
  }
});

test("our own schemas name the path of a fault, and the good events of the request go on", { skip }, async () => {
  const p = project({});
  const engine = await p.serve(environment);
  try {
    const [good] = batches().find((b) => b.type === "star").events;
    const bad = { ...good, sender: { ...good.sender, login: 7 } };
    const reply = await send(engine, "star", "x", [bad, good]);
    const answer = await reply.json();
    assert.deepEqual([reply.status, answer.accepted, answer.refused.length], [202, 1, 1]);
    assert.deepEqual([answer.refused[0].line, answer.refused[0].path], [1, "/sender/login"]);
    assert.match(answer.refused[0].message, /string|text/);
    const broken = await fetch(`${engine.url}/api/v1/ingest/webhooks`, { method: "POST", body: '{"a":', headers: { "x-hub-signature-256": sign('{"a":') } });
    assert.equal(broken.status, 422);
  } finally {
    await p.remove();
  }
});

test("killed in the middle of ingest: what was acknowledged is in the store exactly once", { skip, timeout: 60000 }, async () => {
  const p = project({});
  const acknowledged = [];
  try {
    for (let life = 0; life < 3; life += 1) {
      const engine = await p.serve(environment);
      let going = true;
      const sender = async (lane) => {
        for (let i = 0; going; i += 1) {
          const id = `life${life}-${lane}-${i}`;
          const events = Array.from({ length: 5 }, (_, n) => ({ action: "made", sender: { login: `${id}:${n + 1}` } }));
          const reply = await send(engine, "made_up", id, events).catch(() => undefined);
          if (reply?.status === 202) acknowledged.push(...events.map((e) => e.sender.login));
        }
      };
      const lanes = [0, 1, 2, 3].map(sender);
      await pause(700 + 300 * life);
      const before = acknowledged.length;
      assert.ok(before > 0);
      await engine.kill();
      going = false;
      await Promise.all(lanes);
    }
    const engine = await p.serve(environment);
    const stored = await until("all acknowledged events", async () => {
      const rows = await p.rows("select sender from hooks");
      const all = new Set(rows.map((r) => r.sender));
      return acknowledged.every((id) => all.has(id)) && rows;
    });
    assert.equal(new Set(stored.map((r) => r.sender)).size, stored.length);
    await until("the minutes to count each of them", async () => {
      const [both] = await engine.rows("select (select sum(events) from hook_count_minute) as counted, (select count(*) from hooks) as stored");
      return both.counted === both.stored;
    });
  } finally {
    await p.remove();
  }
});
