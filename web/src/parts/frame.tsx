// The frame around every place: the navigation (pages first, operations second, data third), how
// live the screen is, and scripts that failed to load.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { count } from "../format";
import { type LiveState, useLiveState } from "../live";
import { signOut } from "../session";
import type { Site } from "../types";
import { Shape } from "./mark";

const OPERATIONS = [
  "overview",
  "runs",
  "gaps",
  "quarantine",
  "files",
  "events",
  "schedule",
  "alerts",
];
const DATA = ["tables", "sql", "api", "settings"];
const NAMES: Record<string, string> = { sql: "SQL", api: "API" };
const LIVE: Record<LiveState, [string, string]> = {
  connecting: ["waiting", "Connecting"],
  live: ["done", "Live"],
  paused: ["idle", "Paused"],
  polling: ["waiting", "Every 15 s"],
};

function Item({ to, here, children }: { to: string; here: boolean; children: ComponentChildren }) {
  return (
    <li>
      <a href={to} aria-current={here ? "page" : undefined}>
        {children}
      </a>
    </li>
  );
}

function Group({ title, names, path }: { title: string; names: string[]; path: string }) {
  return (
    <>
      <p class="nav-title">{title}</p>
      <ul>
        {names.map((name) => (
          <Item key={name} to={`/${name}`} here={path.split("/")[1] === name}>
            {NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1)}
          </Item>
        ))}
      </ul>
    </>
  );
}

function Foot({ site }: { site: Site }) {
  const live = useLiveState();
  const [state, word] = LIVE[live];
  const leave = () => signOut().finally(() => location.reload());
  return (
    <div class="nav-foot">
      <span class={`live tone-${state === "idle" ? "idle" : state}`} role="status">
        <Shape state={state} /> {word}
      </span>
      {site.scopes.length ? (
        <button type="button" class="link" onClick={leave}>
          Sign out
        </button>
      ) : (
        <a href="/settings">Sign in</a>
      )}
      <span class="version">dts {site.version}</span>
    </div>
  );
}

function Navigation({ path, site }: { path: string; site?: Site }) {
  if (!site)
    return (
      <div class="skeleton nav-skeleton">
        {[1, 2, 3, 4, 5].map((i) => (
          <i key={i} />
        ))}
      </div>
    );
  const reader = site.scopes.includes("read");
  return (
    <>
      {site.pages.length > 0 && <p class="nav-title">Pages</p>}
      <ul>
        {site.pages.map((page, i) => (
          <Item
            key={page.name}
            to={`/pages/${encodeURIComponent(page.name)}`}
            here={named(path) === `/pages/${page.name}` || (path === "/" && i === 0)}
          >
            {page.title || page.name}
          </Item>
        ))}
      </ul>
      {reader && (
        <Group
          title="Operations"
          names={OPERATIONS}
          path={path === "/" && !site.pages.length ? "/overview" : path}
        />
      )}
      {reader && <Group title="Data" names={DATA} path={path} />}
      <Foot site={site} />
    </>
  );
}

function named(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export function Frame(props: { path: string; site?: Site; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [props.path]);
  const faults = props.site?.faults.length ?? 0;
  return (
    <div
      class={`frame ${open ? "nav-open" : ""}`}
      onKeyDown={(e) => e.key === "Escape" && setOpen(false)}
    >
      <a class="skip" href="#title">
        Skip to content
      </a>
      <header class="top-bar">
        <a class="brand" href="/">
          {props.site?.name || "dts"}
        </a>
        <button
          type="button"
          class="menu"
          aria-expanded={open}
          aria-controls="nav"
          onClick={() => setOpen(!open)}
        >
          {open ? "Close" : "Menu"}
        </button>
      </header>
      <nav id="nav" aria-label="Main">
        <Navigation path={props.path} site={props.site} />
      </nav>
      <main>
        {faults > 0 && !props.path.startsWith("/overview") && (
          <p class="banner tone-failed">
            <Shape state="failed" />
            <span>
              {count(faults, "script")} failed to load; the last good version is in service.{" "}
              <a href="/overview">See which</a>
            </span>
          </p>
        )}
        {props.children}
      </main>
    </div>
  );
}
