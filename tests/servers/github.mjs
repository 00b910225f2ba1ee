// GitHub on loopback, by a server that is not ours: Prism (@stoplight/prism-cli) answers from GitHub's own OpenAPI
// description, checks each request against it, and gives its examples. Prints {"port":N} when it answers; ends on
// SIGTERM, or by itself after $LIFETIME seconds (900).
//
//   TEST_DATA=DIR [PORT=0] [LOG=prism.log] node github.mjs
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { openSync, existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./port.mjs";

const description = join(process.env.TEST_DATA ?? "", "github/openapi-repo-stats-subset.json");
if (!existsSync(description)) throw new Error(`TEST_DATA must name the folder of test data; there is no ${description}`);
const prism = createRequire(import.meta.url).resolve("@stoplight/prism-cli");
const log = process.env.LOG ? openSync(process.env.LOG, "a") : "ignore";

async function answering(port) {
  for (let tries = 0; tries < 300; tries += 1) {
    const reply = await fetch(`http://127.0.0.1:${port}/rate_limit`).catch(() => undefined);
    if (reply?.ok) return;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error("Prism did not answer within 30 s");
}

const port = Number(process.env.PORT ?? 0) || (await freePort());
const child = spawn(process.execPath, [prism, "mock", "-h", "127.0.0.1", "-p", String(port), description], { stdio: ["ignore", log, log] });
const stop = (status) => { child.kill(); process.exit(status); };
child.on("exit", (code) => process.exit(code ?? 1));
process.on("SIGTERM", () => stop(0));
process.on("SIGINT", () => stop(0));
setTimeout(() => stop(0), Number(process.env.LIFETIME ?? 900) * 1000);
await answering(port).catch((error) => { console.error(error.message); stop(1); });
console.log(JSON.stringify({ port }));
