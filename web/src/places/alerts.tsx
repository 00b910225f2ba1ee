// Alerts and whom they tell.
//
// SPDX-License-Identifier: MIT
import { number } from "../format";
import { Mark } from "../parts/mark";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { Time } from "../parts/time";
import { onAnything, useResource } from "../resource";
import type { Alert } from "../types";

const FIRST = `dts.alert { name = "rates_stale", every = "10m",
  when = "select max(date) as last from rates having max(date) < :today_minus_3d" }`;
const ORDER = ["firing", "pending", "unknown", "ok"];

export function AlertsPlace() {
  const alerts = useResource<Alert[]>("/api/v1/alerts", onAnything);
  const worst = (a: Alert, b: Alert) =>
    Number(!a.fault) - Number(!b.fault) ||
    ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name);
  return (
    <Place
      title="Alerts"
      summary="A query that must return no rows. Told once, reminded, told again when it is over."
    >
      <Shown of={alerts} rows={5}>
        {(list) =>
          list.length ? (
            <div class="table-frame" role="region" aria-label="Alerts" tabIndex={0}>
              <table class="cards">
                <thead>
                  <tr>
                    <th>Alert</th>
                    <th>State</th>
                    <th>Since</th>
                    <th class="right">Rows</th>
                    <th>Tells</th>
                  </tr>
                </thead>
                <tbody>
                  {[...list].sort(worst).map((a) => (
                    <tr key={a.name}>
                      <th scope="row">{a.name}</th>
                      <td data-label="State">
                        <Mark
                          state={a.state}
                          word={a.state === "unknown" ? "not looked at yet" : undefined}
                        />
                      </td>
                      <td data-label="Since">
                        <Time at={a.since} ago />
                      </td>
                      <td class="right" data-label="Rows">{number(a.rows)}</td>
                      <td class="wrap whole" data-label="Tells">
                        {[a.to ?? []].flat().join(", ") || <span class="none">nobody</span>}
                        {a.fault && (
                          <span class="sub tone-failed">{a.fault}</span>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <Empty title="No alerts yet" type={FIRST}>
              A script declares one:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
