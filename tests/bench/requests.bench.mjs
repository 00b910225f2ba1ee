// 1,000 requests by dts.each to a server that answers after 50 ms, at 50 and at 200 in flight, against the ideal: the
// time that waves of that many would take if asking cost nothing. The script itself says when it began and ended. Beside
// it, in turn, the least that libcurl needs for the same (requests_peer.c): the rest is the server's and the machine's.
// SPDX-License-Identifier: MIT
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pair, report, single } from "./pair.mjs";
import { DTS as program } from "../program.mjs";

const DELAY = 50;
const COUNT = 1000;
const ROUNDS = 5;
const self = fileURLToPath(import.meta.url);

function serve() {
  const server = createServer((request, response) => {
    setTimeout(() => response.end('{"ok":true}'), DELAY);
  });
  server.keepAliveTimeout = 60000;
  process.on("disconnect", () => process.exit());
  server.listen(0, "127.0.0.1", 1024, () => process.send(server.address().port));
}

const script = (port, atOnce) => `local dts = require "dts"
local slow = dts.source { name = "slow", url = "http://127.0.0.1:${port}", concurrency = ${atOnce} }
dts.pipeline { name = "many", run = function()
  local list = {}
  for i = 1, ${COUNT} do list[i] = i end
  local began = dts.now()
  local got = dts.each(list, { concurrency = ${atOnce} }, function(i) return slow:get("/" .. i).status end)
  local ended = dts.now()
  for i = 1, ${COUNT} do assert(got[i] == 200) end
  print("from " .. began .. " to " .. ended)
end }
`;

async function once_run(program, folder) {
  const child = spawn(program, ["run", "many"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (part) => { said += part; });
  child.stderr.on("data", (part) => { said += part; });
  await once(child, "close");
  const times = /from (\S+) to (\S+)/.exec(said);
  if (!times) throw new Error(`the run said: ${said}`);
  return (Date.parse(times[2]) - Date.parse(times[1])) / 1000;
}

const peer_run = async (peer, port, atOnce) => Number(execFileSync(peer, [`http://127.0.0.1:${port}`, COUNT, atOnce]));

async function main() {
  const server = fork(self, ["serve"]);
  const [port] = await once(server, "message");
  const folder = mkdtempSync(join(tmpdir(), "dts-requests-"));
  mkdirSync(join(folder, "pipelines"));
  const peer = join(folder, "peer");
  execFileSync("cc", ["-O2", "-o", peer, fileURLToPath(new URL("requests_peer.c", import.meta.url)), "-lcurl"]);
  let reached = true;
  for (const [atOnce, most] of [[50, 1.1], [200, 1.35]]) {
    const ideal = Math.ceil(COUNT / atOnce) * DELAY / 1000;
    writeFileSync(join(folder, "pipelines/many.lua"), script(port, atOnce));
    const name = `${COUNT} requests, ${atOnce} in flight`;
    const took = await pair(() => once_run(program, folder), () => peer_run(peer, port, atOnce), ROUNDS);
    report(name, took, { unit: "s", against: "libcurl alone" });
    reached = single(`${name}, over the ideal ${ideal} s`, took.ours.map((s) => s / ideal), { unit: "times", goal: { atMost: most } }) && reached;
  }
  server.kill();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = reached ? 0 : 1;
}

if (process.argv[2] === "serve") serve();
else await main();
