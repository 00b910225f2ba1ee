// Queues a run of the chosen pipeline, and goes to it.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError, post } from "../api";
import { navigate } from "../router";
import { useMay } from "../site";

export function RunNow({ pipeline }: { pipeline: string | null }) {
  const may = useMay("write");
  const [fault, setFault] = useState("");
  if (!may || !pipeline) return null;
  const start = async () => {
    try {
      const { id } = await post<{ id: string }>("/api/v1/runs", { pipeline, params: {} });
      navigate(`/runs/${id}`);
    } catch (error) {
      setFault(asApiError(error).message);
    }
  };
  return (
    <>
      <button type="button" class="primary" onClick={start}>
        Run {pipeline} now
      </button>
      {fault && (
        <p class="field-fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}
