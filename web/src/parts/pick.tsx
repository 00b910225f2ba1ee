// Small controls that write to the address: one of a list, and the name of a pipeline.
//
// SPDX-License-Identifier: MIT
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import type { Overview } from "../types";

export function Pick(props: { name: string; label: string; choices: string[]; all: string }) {
  const { query } = useAddress();
  const value = query.get(props.name) ?? "";
  const choices =
    value && !props.choices.includes(value) ? [value, ...props.choices] : props.choices;
  return (
    <label class="field">
      {props.label}
      <select
        value={value}
        onChange={(e) => setQuery({ [props.name]: e.currentTarget.value || null })}
      >
        <option value="">{props.all}</option>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}

export function PickPipeline({ kinds }: { kinds?: string[] }) {
  const overview = useResource<Overview>("/api/v1/overview");
  const list = (overview.data?.pipelines ?? []).filter((p) => !kinds || kinds.includes(p.kind));
  return (
    <Pick name="pipeline" label="Pipeline" all="All pipelines" choices={list.map((p) => p.name)} />
  );
}

export function Wanted({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <button type="button" class="chip" onClick={() => setQuery({ [name]: null })}>
      {label}: {value} <span aria-hidden="true">×</span>
      <span class="sr">, remove</span>
    </button>
  );
}
