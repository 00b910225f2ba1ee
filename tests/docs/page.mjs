// One page of the manual being followed: its project in a temporary folder, its stand-in source, its engine. Nothing of
// it stays behind: `end` stops what was started, by its id, and removes the folder.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createConnection } from "node:net";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../servers/port.mjs";
import { DTS as PROGRAM } from "../program.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export { PROGRAM };
const PORT = "8080"; // as the manual writes it
const BESIDE = "9001"; // the port of a stand-in that the manual starts
const PATIENCE = 30000;
const RELOAD = 1500;

export const skip = existsSync(PROGRAM) ? false : `there is no ${PROGRAM}: build it, or name another in DTS`;

export class Page {
  #replies = new Map();
  #sources = new Set();
  #own = false; // the page brings its own dts.lua
  #engine;
  #besides = [];

  async begin() {
    this.server = createServer((request, response) => this.#answer(request, response));
    await new Promise((done) => { this.server.listen(0, "127.0.0.1", done); });
    await this.project();
  }

  async project() {
    await this.#stop();
    if (this.folder) rmSync(this.folder, { recursive: true });
    this.folder = mkdtempSync(join(tmpdir(), "dts-manual-"));
    this.place = this.folder; // where the reader's shell is
    this.#sources.clear();
    this.#own = false;
  }

  // Under a running engine a reader needs longer to turn to the shell than a reload takes; so does this.
  async file(path, text) {
    mkdirSync(dirname(join(this.place, path)), { recursive: true });
    writeFileSync(join(this.place, path), await this.#moved(text));
    if (path === "dts.lua") this.#own = true;
    if (this.#engine) await new Promise((done) => { setTimeout(done, RELOAD); });
  }

  serves(argument, text) {
    const [source, path] = argument.split(" ");
    this.#replies.set(path, text);
    this.#sources.add(source);
    const list = [...this.#sources].map((name) => `${name} = "http://127.0.0.1:${this.server.address().port}"`);
    if (!this.#own) writeFileSync(join(this.place, "dts.lua"), `return { sources = { ${list.join(", ")} } }\n`);
  }

  // The manual's port of a stand-in is another one here, so that tests do not meet.
  async #moved(text) {
    if (!text.includes(BESIDE)) return text;
    this.besidePort ??= await freePort();
    return text.replaceAll(BESIDE, this.besidePort);
  }

  // A second terminal: the text is typed and goes on until the page ends; waits until its port answers.
  async beside(text) {
    const child = spawn("bash", ["-c", `exec ${(await this.#moved(text)).trim()}`], { cwd: this.place, stdio: "ignore" });
    this.#besides.push(child);
    for (let waited = 0; waited < PATIENCE; waited += 50) {
      if (child.exitCode !== null) throw new Error(`it ended: ${text}`);
      if (await answers(this.besidePort)) return;
      await new Promise((done) => { setTimeout(done, 50); });
    }
    throw new Error(`nothing answers: ${text}`);
  }

  // Types the text into a shell in the project, which stays where `cd` led: { status, output }.
  async type(text) {
    const typed = this.port ? text.replaceAll(`localhost:${PORT}`, `127.0.0.1:${this.port}`) : text;
    const said = await this.#shell(`trap 'pwd >"$DTS_MANUAL_PLACE"' EXIT\n${typed}`);
    this.place = readFileSync(join(this.folder, ".place"), "utf8").trim();
    return said;
  }

  #shell(typed) {
    const env = { ...process.env, PATH: dirname(PROGRAM) + delimiter + process.env.PATH, NO_COLOR: "1",
      DTS_MANUAL_PLACE: join(this.folder, ".place") };
    const child = spawn("bash", ["-eu", "-o", "pipefail", "-c", typed], { cwd: this.place, env, timeout: PATIENCE });
    let output = "";
    child.stdout.on("data", (part) => { output += part; });
    child.stderr.on("data", (part) => { output += part; });
    return new Promise((done, bad) => {
      child.on("error", bad);
      child.on("close", (status) => done({ status, output: output.replaceAll(`127.0.0.1:${this.port}`, `localhost:${PORT}`) }));
    });
  }

  async serve() {
    this.#engine = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], { cwd: this.place, env: { ...process.env, NO_COLOR: "1" } });
    let said = "";
    const heard = (part) => { said += part; };
    this.#engine.stdout.on("data", heard);
    this.#engine.stderr.on("data", heard);
    for (let waited = 0; waited < PATIENCE && !this.port && this.#engine.exitCode === null; waited += 50) {
      this.port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      await new Promise((done) => { setTimeout(done, 50); });
    }
    if (!this.port) throw new Error(`dts serve named no address: ${said}`);
  }

  async #stop() {
    for (const child of [...this.#besides.splice(0), this.#engine]) await ended(child);
    this.#engine = undefined;
    this.port = undefined;
  }

  async end() {
    await this.#stop();
    this.server.closeAllConnections();
    await new Promise((done) => { this.server.close(done); });
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answer(request, response) {
    const path = request.url.split("?")[0];
    const text = this.#replies.get(path);
    response.writeHead(text === undefined ? 404 : 200, { "Content-Type": type(path, text) });
    response.end(text ?? "not found\n");
  }
}

async function ended(child) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => { child.on("exit", done); });
  child.kill("SIGTERM");
  await gone;
}

function answers(port) {
  return new Promise((done) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.on("connect", () => { socket.destroy(); done(true); });
    socket.on("error", () => done(false));
  });
}

function type(path, text = "") {
  if (path.endsWith(".csv")) return "text/csv; charset=utf-8";
  if (/^\s*[[{]/.test(text)) return "application/json";
  return path.endsWith(".xml") ? "application/xml" : "text/plain; charset=utf-8";
}
