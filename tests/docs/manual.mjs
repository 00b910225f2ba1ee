// The manual as a list of things to do. A comment before a code block says what the block is:
//
//   <!-- file: pipelines/rates.lua -->   the block is written to that file of the page's project
//   <!-- serves: bank /path -->          the source `bank` answers that path with the block (a stand-in on loopback)
//   <!-- run -->  <!-- fails -->         the block is typed, and must end well (badly)
//   <!-- prints -->                      what that wrote; … stands for any text, alone on a line for any lines
//   <!-- beside -->                      the block is typed into a second terminal, and runs until the page's end
//   <!-- serve -->                       dts serve runs from here on; the block's port is changed to the real one
//   <!-- project -->                     a new, empty project from here on (no block)
// SPDX-License-Identifier: MIT
import { readFileSync } from "node:fs";

const KINDS = ["file", "serves", "run", "fails", "prints", "beside", "serve", "project"];
const BARE = ["serve", "project"];

function marker(line) {
  const found = /^<!-- (\w+)(?::\s*(.*?))? -->$/.exec(line);
  return found && KINDS.includes(found[1]) ? { kind: found[1], argument: found[2] ?? "" } : undefined;
}

function block(lines, from) {
  const end = lines.indexOf("```", from + 1);
  if (end < 0) throw new Error(`the block of line ${from + 1} has no end`);
  return { language: lines[from].slice(3), text: lines.slice(from + 1, end).join("\n") + "\n", end };
}

// [{ kind, argument, line, language, text }]; blocks without a marker have the kind "block".
export function steps(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  const found = [];
  let mark;
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].startsWith("```")) {
      const { language, text, end } = block(lines, i);
      found.push({ kind: "block", argument: "", ...mark, line: i + 1, language, text });
      mark = undefined;
      i = end;
    } else if (lines[i].trim() !== "") {
      if (mark) throw new Error(`${path}:${i + 1}: a block expected after <!-- ${mark.kind} -->`);
      mark = marker(lines[i]);
      if (mark && BARE.includes(mark.kind)) {
        found.push({ ...mark, line: i + 1, text: "" });
        mark = undefined;
      }
    }
  }
  return found;
}

const plain = (text) => text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").split("\n").map((line) => line.trimEnd()).join("\n").trim();
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// Does what was printed look like what the manual shows?
export function matches(shown, printed) {
  const pattern = plain(shown).split("\n")
    .map((line) => (line.trim() === "…" ? "(?:.*\n)*?" : `${line.split("…").map(literal).join(".*?")}\n`)).join("");
  return new RegExp(`^${pattern}$`).test(plain(printed) + "\n");
}
