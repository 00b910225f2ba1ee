// Inputs that failed too often, to be released or dropped by a person, one or many, with a reason
// that is kept.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { address, asApiError, post } from "../api";
import { count } from "../format";
import { DataTable } from "../parts/data-table";
import { HeldInput } from "../parts/held-input";
import { PickPipeline } from "../parts/pick";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { useResource } from "../resource";
import { setQuery, useAddress } from "../router";
import { useMay } from "../site";
import { valueOf } from "../table";
import type { Table } from "../types";

type Id = string | number;
const SAID = {
  release: "released; tried again on the script now in force, dates by their pipeline's next run",
  drop: "dropped; the payload is kept",
};

function Decide(props: { ids: Id[]; done: (said: string) => void }) {
  const [reason, setReason] = useState("");
  const [fault, setFault] = useState("");
  const act = (verb: "release" | "drop") => async () => {
    if (!reason.trim()) return setFault("Say why: the reason is kept with the input.");
    try {
      const body = { ids: props.ids, reason: reason.trim() };
      const { count: n } = await post<{ count: number }>(`/api/v1/quarantine/${verb}`, body);
      props.done(`${count(n, "input")} ${SAID[verb]}.`);
    } catch (error) {
      const { message, hint } = asApiError(error);
      setFault(hint ? `${message} ${hint}` : message);
    }
  };
  return (
    <div class="decide" role="group" aria-label="Decide">
      <b>{count(props.ids.length, "input")} chosen</b>
      <label class="field grow">
        Reason
        <input
          type="text"
          value={reason}
          placeholder="fixed in the script, bad upload, …"
          aria-describedby={fault ? "reason-fault" : undefined}
          onInput={(e) => (setReason(e.currentTarget.value), setFault(""))}
        />
      </label>
      <button type="button" class="primary" onClick={act("release")}>
        Release
      </button>
      <button type="button" class="danger" onClick={act("drop")}>
        Drop
      </button>
      {props.ids.length === 1 && String(props.ids[0]).startsWith("job-") && (
        <p class="sub">
          Mended the file? <code>dts quarantine release {props.ids[0]} --with FILE</code>; if a newer
          one is done already, drop this one.
        </p>
      )}
      {fault && (
        <p id="reason-fault" class="field-fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

function Choose(props: {
  table: Table;
  chosen: Set<Id>;
  set: (next: Set<Id>) => void;
  may: boolean;
}) {
  const { table, chosen } = props;
  const idOf = (row: unknown[]) => valueOf(table, row, "id") as Id;
  const all = table.rows.map(idOf);
  const toggle = (id: Id) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    props.set(next);
  };
  const lead = {
    head: (
      <input
        type="checkbox"
        aria-label="Choose all"
        checked={chosen.size === all.length}
        onChange={() => props.set(chosen.size === all.length ? new Set() : new Set(all))}
      />
    ),
    cell: (row: unknown[]) => (
      <input
        type="checkbox"
        aria-label={`Choose ${idOf(row)}`}
        checked={chosen.has(idOf(row))}
        onChange={() => toggle(idOf(row))}
      />
    ),
  };
  return (
    <DataTable
      table={table}
      label="Inputs in quarantine"
                engine
      lead={props.may ? lead : undefined}
      columns={["name", "pipeline", "input", "error", "line", "attempts", "at"]}
      heads={{ name: "What", input: "Kind", error: "Why", attempts: "Tried", at: "Since" }}
      render={{
        name: (name, row) => (
          <button type="button" class="link" onClick={() => setQuery({ id: String(idOf(row)) })}>
            {String(name ?? idOf(row))}
          </button>
        ),
        error: (text) => <span class="wrap">{String(text ?? "")}</span>,
      }}
    />
  );
}

export function QuarantinePlace() {
  const { query } = useAddress();
  const may = useMay("write");
  const [chosen, setChosen] = useState(new Set<Id>());
  const [said, setSaid] = useState("");
  const held = useResource<Table>(
    address("/api/v1/quarantine", { pipeline: query.get("pipeline") }),
    (event) => event.kind === "run",
  );
  const done = (text: string) => {
    setSaid(text);
    setChosen(new Set());
    held.reload();
  };
  const open = query.get("id");
  return (
    <Place
      title="Quarantine"
      summary="Inputs that failed for good. Fix the script or the file, then release them."
    >
      <div class="filters">
        <PickPipeline />
      </div>
      {said && (
        <p class="said" role="status">
          {said}
        </p>
      )}
      {open && <HeldInput key={open} id={open} close={() => setQuery({ id: null })} />}
      <Shown of={held} rows={6}>
        {(table) =>
          table.rows.length ? (
            <>
              {chosen.size > 0 && <Decide ids={[...chosen]} done={done} />}
              <Choose table={table} chosen={chosen} set={setChosen} may={may} />
              {!may && <p class="none">Releasing needs a key with the scope write.</p>}
            </>
          ) : (
            <Empty title="Nothing is in quarantine">
              An input comes here when its run has failed more often than its pipeline retries.
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
