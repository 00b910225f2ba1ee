// The program that is tried: DTS, else the release build. Absolute, since each test starts it in a folder of its own.
// SPDX-License-Identifier: MIT
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const DTS = resolve(process.env.DTS ?? fileURLToPath(new URL("../build/dts", import.meta.url)));
