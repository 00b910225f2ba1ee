// A place that shows one pipeline of a kind: the address names it, and a list picks another.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import type { Overview } from "../types";
import { Place } from "./place";
import { Shown } from "./states";

function PickOne({ names, value, drop }: { names: string[]; value: string; drop: string[] }) {
  const dropped = Object.fromEntries(drop.map((name) => [name, null]));
  return (
    <div class="filters">
      <label class="field">
        Pipeline
        <select
          value={value}
          onChange={(e) => setQuery({ ...dropped, pipeline: e.currentTarget.value })}
        >
          {[...new Set([value, ...names])].sort().map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

// `drop` names what else of the address is the old pipeline's; `none` is shown where there is no such pipeline.
export function PipelinePlace(props: {
  kind: string;
  title: string;
  summary: (pipeline?: string) => ComponentChildren;
  drop?: string[];
  none: ComponentChildren;
  children: (pipeline: string) => ComponentChildren;
}) {
  const { query } = useAddress();
  const overview = useResource<Overview>("/api/v1/overview");
  const all = overview.data?.pipelines ?? [];
  const names = all.filter((p) => p.kind === props.kind).map((p) => p.name);
  const pipeline = query.get("pipeline") ?? names[0];
  return (
    <Place title={props.title} summary={props.summary(pipeline)}>
      <Shown of={overview} rows={8}>
        {() =>
          pipeline ? (
            <>
              {names.length > 1 && (
                <PickOne names={names} value={pipeline} drop={props.drop ?? []} />
              )}
              {props.children(pipeline)}
            </>
          ) : (
            props.none
          )
        }
      </Shown>
    </Place>
  );
}
