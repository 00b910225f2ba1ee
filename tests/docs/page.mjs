// One page of the manual being followed: its project in a temporary folder, its stand-in source, its engine. Nothing of
// it stays behind: `end` stops what was started, by its id, and removes the folder.
// SPDX-License-Identifier: MIT
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const PROGRAM = process.env.DTS ?? join(ROOT, "build/dts");
const PORT = "8080"; // as the manual writes it
const PATIENCE = 30000;
const RELOAD = 1500;

export const skip = existsSync(PROGRAM) ? false : `there is no ${PROGRAM}: build it, or name another in DTS`;

export class Page {
  #replies = new Map();
  #sources = new Set();
  #own = false; // the page brings its own dts.lua
  #engine;

  async begin() {
    this.server = createServer((request, response) => this.#answer(request, response));
    await new Promise((done) => { this.server.listen(0, "127.0.0.1", done); });
    await this.project();
  }

  async project() {
    await this.#stop();
    if (this.folder) rmSync(this.folder, { recursive: true });
    this.folder = mkdtempSync(join(tmpdir(), "dts-manual-"));
    this.#sources.clear();
    this.#own = false;
  }

  // Under a running engine a reader needs longer to turn to the shell than a reload takes; so does this.
  async file(path, text) {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
    if (path === "dts.lua") this.#own = true;
    if (this.#engine) await new Promise((done) => { setTimeout(done, RELOAD); });
  }

  serves(argument, text) {
    const [source, path] = argument.split(" ");
    this.#replies.set(path, text);
    this.#sources.add(source);
    const list = [...this.#sources].map((name) => `${name} = "http://127.0.0.1:${this.server.address().port}"`);
    if (!this.#own) writeFileSync(join(this.folder, "dts.lua"), `return { sources = { ${list.join(", ")} } }\n`);
  }

  // Types the text into a shell in the project: { status, output }.
  type(text) {
    const typed = this.port ? text.replaceAll(`localhost:${PORT}`, `127.0.0.1:${this.port}`) : text;
    const env = { ...process.env, PATH: dirname(PROGRAM) + delimiter + process.env.PATH, NO_COLOR: "1" };
    const child = spawn("bash", ["-eu", "-o", "pipefail", "-c", typed], { cwd: this.folder, env, timeout: PATIENCE });
    let output = "";
    child.stdout.on("data", (part) => { output += part; });
    child.stderr.on("data", (part) => { output += part; });
    return new Promise((done, bad) => {
      child.on("error", bad);
      child.on("close", (status) => done({ status, output: output.replaceAll(`127.0.0.1:${this.port}`, `localhost:${PORT}`) }));
    });
  }

  async serve() {
    this.#engine = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0"], { cwd: this.folder, env: { ...process.env, NO_COLOR: "1" } });
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
    if (this.#engine && this.#engine.exitCode === null) {
      const gone = new Promise((done) => { this.#engine.on("exit", done); });
      this.#engine.kill("SIGTERM");
      await gone;
    }
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

function type(path, text = "") {
  if (path.endsWith(".csv")) return "text/csv; charset=utf-8";
  if (/^\s*[[{]/.test(text)) return "application/json";
  return path.endsWith(".xml") ? "application/xml" : "text/plain; charset=utf-8";
}
