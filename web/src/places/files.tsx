// Drop a file, see it processed.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { asApiError, get, post, upload } from "../api";
import { bytes, percent } from "../format";
import { DataTable, type Render } from "../parts/data-table";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { onAnyRun, useResource } from "../resource";
import { useMay } from "../site";
import { hasAny, valueOf } from "../table";
import type { Table } from "../types";

type Sending = { name: string; part: number; fault?: string; done?: boolean };

async function sendFile(file: File, tell: (change: Partial<Sending>) => void) {
  try {
    const { url } = await post<{ url: string }>("/api/v1/uploads", {
      name: file.name,
      size: file.size,
    });
    await upload(url, file, (part) => tell({ part }));
    tell({ part: 1, done: true });
  } catch (error) {
    const { message, hint } = asApiError(error);
    tell({ fault: hint ? `${message} ${hint}` : message });
  }
}

function Drop({ onSent }: { onSent: () => void }) {
  const [list, setList] = useState<Sending[]>([]);
  const [over, setOver] = useState(false);
  const take = (files: Iterable<File>) => {
    for (const file of files) {
      setList((old) => [{ name: file.name, part: 0 }, ...old.filter((s) => s.name !== file.name)]);
      const tell = (change: Partial<Sending>) =>
        setList((old) => old.map((s) => (s.name === file.name ? { ...s, ...change } : s)));
      void sendFile(file, tell).then(onSent);
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files ?? []);
  };
  return (
    <>
      <label
        class={`drop ${over ? "over" : ""}`}
        onDrop={onDrop}
        onDragOver={(e) => (e.preventDefault(), setOver(true))}
        onDragLeave={() => setOver(false)}
      >
        <input
          type="file"
          multiple
          class="sr"
          onChange={(e) => take(e.currentTarget.files ?? [])}
        />
        <span>
          <b>Drop files here</b> or choose them. A file goes to the pipeline whose pattern its name
          matches.
        </span>
      </label>
      {list.length > 0 && (
        <ul class="sending" aria-live="polite">
          {list.map((s) => (
            <li key={s.name}>
              <span>{s.name}</span>
              {s.fault ? (
                <span class="field-fault">{s.fault}</span>
              ) : s.done ? (
                <span>arrived whole</span>
              ) : (
                <progress value={s.part} aria-label={`${s.name}, ${percent(s.part)}`} />
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

// Below its file's name, where it has room beside the other columns.
const Fault = ({ text }: { text: unknown }) =>
  text ? <span class="sub tone-failed">{String(text)}</span> : null;

function Files({ table }: { table: Table }) {
  const [fault, setFault] = useState("");
  const download = async (id: unknown) => {
    try {
      location.assign((await get<{ url: string }>(`/api/v1/files/${id}/link`)).url);
    } catch (error) {
      setFault(asApiError(error).message);
    }
  };
  const render: Record<string, Render> = {
    name: (name, row) => (
      <>
        <button
          type="button"
          class="link"
          title="Download"
          onClick={() => download(valueOf(table, row, "id"))}
        >
          {String(name)}
        </button>
        <Fault text={valueOf(table, row, "error")} />
      </>
    ),
    size: (size) => bytes(Number(size)),
    sha256: (sum) => <code title={String(sum)}>{String(sum ?? "").slice(0, 8)}</code>,
  };
  return (
    <>
      {fault && (
        <p class="field-fault" role="alert">
          {fault}
        </p>
      )}
      <DataTable
        table={table}
        label="Files"
        engine
        render={render}
        columns={[
          ...["name", "pipeline", "state", "rows"],
          ...(hasAny(table, "rejected") ? ["rejected"] : []),
          ...["size", "sha256", "at"],
        ]}
        heads={{ name: "File", rejected: "Set aside", sha256: "Content", at: "Arrived" }}
      />
    </>
  );
}

export function FilesPlace() {
  const may = useMay("write");
  const files = useResource<Table>("/api/v1/files", onAnyRun);
  return (
    <Place
      title="Files"
      summary="Each content is taken once. A file whose run fails leaves nothing behind."
    >
      {may && <Drop onSent={files.reload} />}
      <Shown of={files} rows={6}>
        {(table) =>
          table.rows.length ? (
            <Files table={table} />
          ) : (
            <Empty title="No file has arrived yet" type="cp sales-2026-03.csv incoming/">
              Drop one above, or move one into the project's folder:
            </Empty>
          )
        }
      </Shown>
    </Place>
  );
}
