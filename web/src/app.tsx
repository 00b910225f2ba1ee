// The frame and the places: which address shows what. A place is keyed by its path, so that moving
// to another starts afresh while a change of filters does not.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Frame } from "./parts/frame";
import { Failed, Loading } from "./parts/states";
import { AlertsPlace } from "./places/alerts";
import { ApiPlace } from "./places/api";
import { EventsPlace } from "./places/events";
import { FilesPlace } from "./places/files";
import { GapsPlace } from "./places/gaps";
import { NotFound } from "./places/not-found";
import { OverviewPlace } from "./places/overview";
import { PagePlace } from "./places/page";
import { QuarantinePlace } from "./places/quarantine";
import { RunPlace } from "./places/run";
import { RunsPlace } from "./places/runs";
import { SchedulePlace } from "./places/schedule";
import { SettingsPlace } from "./places/settings";
import { SqlPlace } from "./places/sql";
import { TablePlace } from "./places/table";
import { TablesPlace } from "./places/tables";
import { useResource } from "./resource";
import { useAddress } from "./router";
import { SiteContext } from "./site";
import type { Site } from "./types";

const PLACES: Record<string, () => preact.JSX.Element> = {
  overview: OverviewPlace,
  runs: RunsPlace,
  gaps: GapsPlace,
  quarantine: QuarantinePlace,
  files: FilesPlace,
  events: EventsPlace,
  tables: TablesPlace,
  sql: SqlPlace,
  api: ApiPlace,
  schedule: SchedulePlace,
  alerts: AlertsPlace,
  settings: SettingsPlace,
};

function named(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function placeFor(path: string, site: Site): ComponentChildren {
  const [, first = "", second] = path.replace(/\/$/, "").split("/");
  if (first === "") {
    return site.pages.length ? <PagePlace name={site.pages[0].name} /> : <OverviewPlace />;
  }
  if (second) {
    const name = named(second);
    if (first === "pages") return <PagePlace name={name} />;
    if (first === "runs") return <RunPlace id={name} />;
    if (first === "tables") return <TablePlace name={name} />;
    return <NotFound path={path} />;
  }
  const Known = Object.hasOwn(PLACES, first) ? PLACES[first] : null;
  return Known ? <Known /> : <NotFound path={path} />;
}

function useFocusOnMove(path: string) {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    scrollTo(0, 0);
    document.getElementById("title")?.focus({ preventScroll: true });
  }, [path]);
}

export function App() {
  const { path } = useAddress();
  const site = useResource<Site>("/api/v1/site", (event) => event.kind === "reload");
  useFocusOnMove(path);
  if (!site.data) {
    return (
      <Frame path={path}>
        {site.error ? <Failed error={site.error} retry={site.reload} /> : <Loading height={320} />}
      </Frame>
    );
  }
  return (
    <SiteContext.Provider value={site.data}>
      <Frame path={path} site={site.data}>
        <div key={path}>{placeFor(path, site.data)}</div>
      </Frame>
    </SiteContext.Provider>
  );
}
