// When what fires next. Firings that a clock change moves are marked.
//
// SPDX-License-Identifier: MIT
import { hourMinute, zoneName } from "../format";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { Time } from "../parts/time";
import { useResource } from "../resource";
import type { Plan } from "../types";

const SCHEDULED = `schedule = "0 6 * * 1-5", timezone = "America/Sao_Paulo"`;
const DAY = 86_400_000;

// An entry that fires once a day is odd on the day when its time on the clock differs from the
// others': the hour was skipped or doubled there.
function oddOf(plan: Plan): Set<string> {
  const at = plan.next.map((t) => Date.parse(t));
  const daily = at.length > 2 && at.slice(1).every((t, i) => t - at[i] > DAY * 0.9);
  if (!daily) return new Set();
  const times = plan.next.map((t) => hourMinute(Date.parse(t), plan.timezone));
  const usual = [...times].sort(
    (a, b) => times.filter((t) => t === b).length - times.filter((t) => t === a).length,
  )[0];
  return new Set(plan.next.filter((_, i) => times[i] !== usual));
}

function Row({ plan }: { plan: Plan }) {
  const odd = oddOf(plan);
  return (
    <tr>
      <th scope="row">
        <a href={`/runs?pipeline=${encodeURIComponent(plan.pipeline)}`}>{plan.pipeline}</a>
        <span class="sub">
          <code>{plan.schedule}</code> {zoneName(plan.timezone)}
        </span>
      </th>
      <td>{plan.next[0] ? <Time at={plan.next[0]} ago /> : <span class="none">never</span>}</td>
      <td>
        <ol class="firings">
          {plan.next.slice(0, 5).map((at) => (
            <li key={at}>
              <Time at={at} />
              {odd.has(at) && <b class="tone-waiting"> clock change</b>}
            </li>
          ))}
        </ol>
      </td>
    </tr>
  );
}

export function SchedulePlace() {
  const plans = useResource<Plan[]>("/api/v1/schedule", (event) => event.kind !== "change");
  const soonest = (a: Plan, b: Plan) => (a.next[0] ?? "~").localeCompare(b.next[0] ?? "~");
  return (
    <Place title="Schedule" summary="The next firings, soonest first.">
      <Shown of={plans} rows={6}>
        {(list) =>
          list.length ? (
            <div class="table-frame" role="region" aria-label="Schedule" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th>Pipeline</th>
                    <th>Next</th>
                    <th>Firings</th>
                  </tr>
                </thead>
                <tbody>
                  {[...list].sort(soonest).map((plan, i) => (
                    <Row key={i} plan={plan} />
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <Empty title="Nothing is scheduled" type={SCHEDULED}>
              A pipeline fires by itself when it says:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
