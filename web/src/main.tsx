// Starts the dashboard: a key in the address is traded for a session first, so that it is never
// left in the history.
//
// SPDX-License-Identifier: MIT
import { render } from "preact";
import { App } from "./app";
import { startLive } from "./live";
import { startRouter } from "./router";
import { signIn, takeKey } from "./session";

const key = takeKey();
if (key) await signIn(key).catch(() => undefined); // a refused key shows as "needs a key"
startRouter();
startLive();
render(<App />, document.getElementById("app")!);
