// Queues a run of the chosen pipeline, and goes where it will be seen: it may become many runs, or
// none when nothing is missing. A pipeline of files or events runs on an input alone: there the way
// to hand one in is offered.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError, post } from "../api";
import { navigate } from "../router";
import { useResource } from "../resource";
import { useMay } from "../site";
import type { Overview } from "../types";

export function RunNow({ pipeline }: { pipeline: string | null }) {
  const may = useMay("write");
  const [fault, setFault] = useState("");
  const [said, setSaid] = useState(false);
  const overview = useResource<Overview>(may && pipeline ? "/api/v1/overview" : null);
  if (!may || !pipeline) return null;
  const kind = overview.data?.pipelines.find((p) => p.name === pipeline)?.kind;
  if (kind === "files") {
    return (
      <a class="button" href="/files">
        Hand in a file
      </a>
    );
  }
  if (!kind || kind === "ingest") return null;
  const start = async () => {
    try {
      await post("/api/v1/runs", { pipeline, params: {} });
      setFault("");
      setSaid(true);
      navigate(`/runs?pipeline=${encodeURIComponent(pipeline)}`);
    } catch (error) {
      const { message, hint } = asApiError(error);
      setFault(hint ? `${message} ${hint}` : message);
    }
  };
  return (
    <>
      <button type="button" class="primary" onClick={start}>
        Run {pipeline} now
      </button>
      {said && <span role="status">Queued</span>}
      {fault && (
        <p class="field-fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}
