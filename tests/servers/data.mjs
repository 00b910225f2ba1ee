// The real figures that the stand-in sources answer with, read from the folder of test data ($TEST_DATA) when they are
// first asked for. It only cuts and re-renders what the files hold; it never makes a value up.
// SPDX-License-Identifier: MIT
import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";

export class Data {
  #root;
  #kept = new Map();

  constructor(root) {
    if (!root || !existsSync(join(root, "SOURCES.md"))) {
      throw new Error(`TEST_DATA must name the folder of test data (the one with SOURCES.md), got ${root ?? "nothing"}`);
    }
    this.#root = root;
  }

  bytes(name) {
    return this.#once(name, () => readFileSync(join(this.#root, name)));
  }

  json(name) {
    return this.#once(`${name} as json`, () => JSON.parse(this.bytes(name)));
  }

  // The lines of a plain CSV (no quotes in these files) as arrays, without the header.
  lines(name) {
    return this.#once(`${name} as lines`, () =>
      this.bytes(name).toString("latin1").split(/\r?\n/).filter((line) => line !== "").map((line) => line.split(",")));
  }

  // One Banco Central series as [{ date, value }]; values are strings, as the service writes them.
  series(code) {
    if (code === 1) {
      return this.json("currency/bcb-sgs-shape-1-dados-2020-2023.json")
        .map((p) => ({ date: p.data.split("/").reverse().join("-"), value: p.valor }));
    }
    const file = { 11: "selic-daily", 433: "ipca-monthly", 24369: "desemprego-monthly" }[code];
    return file && this.json(`currency/bcb-${file}.json`).map((p) => ({ date: p.data, value: String(p.valor) }));
  }

  // The euro's rates, newest day first: [{ date, rates: [["USD", "1.105"], …] }] without currencies that had none.
  euro() {
    return this.#once("euro", () => {
      const [names, ...days] = this.lines("currency/eurofxref-hist-part.csv");
      return days.map((day) => ({
        date: day[0],
        rates: names.map((name, i) => [name, day[i]]).slice(1).filter(([name, rate]) => name && rate !== "N/A"),
      }));
    });
  }

  // A share's days, oldest first. `vintage` 1 is the first download of the São Paulo shares: its last row is unfinished.
  share(symbol, vintage) {
    const days = new Map();
    for (const name of shareFiles(symbol, vintage)) {
      const [names, ...lines] = this.lines(name);
      for (const line of lines) {
        const day = Object.fromEntries(names.map((column, i) => [column, line[i]]));
        days.set(day.Date, day);
      }
    }
    return days.size ? [...days.values()].sort((a, b) => (a.Date < b.Date ? -1 : 1)) : undefined;
  }

  #once(key, make) {
    if (!this.#kept.has(key)) this.#kept.set(key, make());
    return this.#kept.get(key);
  }
}

function shareFiles(symbol, vintage) {
  if (symbol === "XOM" || symbol === "CVX") return [`stocks/yahoo/${symbol}.csv`];
  if (symbol === "PETR4.SA") return ["stocks/b3-vintages/PETR4.SA.2020-07-15.csv"];
  if (symbol !== "PETR3.SA" && symbol !== "UGPA3.SA") return [];
  const downloads = vintage === 1 ? ["2020-07-07"] : ["2020-07-07", "2020-07-15"];
  return downloads.map((day) => `stocks/b3-vintages/${symbol}.${day}.csv`);
}
