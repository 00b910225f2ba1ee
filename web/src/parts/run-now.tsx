// Queues a run of the chosen pipeline, and goes where it will be seen: it may become many runs, or
// none when nothing is missing.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError, post } from "../api";
import { navigate } from "../router";
import { useMay } from "../site";

export function RunNow({ pipeline }: { pipeline: string | null }) {
  const may = useMay("write");
  const [fault, setFault] = useState("");
  const [said, setSaid] = useState(false);
  if (!may || !pipeline) return null;
  const start = async () => {
    try {
      await post("/api/v1/runs", { pipeline, params: {} });
      setFault("");
      setSaid(true);
      navigate(`/runs?pipeline=${encodeURIComponent(pipeline)}`);
    } catch (error) {
      setFault(asApiError(error).message);
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
