// The project's routes, each with a form to try it.
//
// SPDX-License-Identifier: MIT
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { TryRoute } from "../parts/try-route";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import type { RouteInfo } from "../types";

const FIRST = `dts.route { "GET /api/rates/{currency}", from = "rates", order = "-date", public = true }`;

export function ApiPlace() {
  const { query } = useAddress();
  const routes = useResource<RouteInfo[]>("/api/v1/routes", (event) => event.kind === "reload");
  const open = query.get("route");
  const name = (route: RouteInfo) => `${route.method} ${route.path}`;
  return (
    <Place
      title="API"
      summary={
        <>
          Routes that the project's scripts declare.{" "}
          <a href="/api/v1/openapi.json" download>
            OpenAPI description
          </a>
        </>
      }
    >
      <Shown of={routes} rows={5}>
        {(list) =>
          list.length ? (
            <ul class="routes">
              {list.map((route) => (
                <li key={name(route)}>
                  <button
                    type="button"
                    class="route-head"
                    aria-expanded={open === name(route)}
                    onClick={() => setQuery({ route: open === name(route) ? null : name(route) })}
                  >
                    <span class="method">{route.method}</span>
                    <code>{route.path}</code>
                    <span class="route-summary">{route.summary}</span>
                    <span class="none">{route.public ? "public" : "needs a key"}</span>
                  </button>
                  {open === name(route) && <TryRoute route={route} />}
                </li>
              ))}
            </ul>
          ) : (
            <Empty title="No routes yet" type={FIRST}>
              A script declares one with a line:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
