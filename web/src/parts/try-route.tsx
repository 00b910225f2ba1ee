// A form for one route: its parameters, the address they make, the answer as text.
//
// SPDX-License-Identifier: MIT
import { useState } from "preact/hooks";
import { duration } from "../format";
import type { Param, RouteInfo } from "../types";

const SHOWN = 20_000; // characters of an answer
type Answer = { status: string; ms: number; text: string; ok: boolean };

function addressOf(route: RouteInfo, values: Record<string, string>): string {
  const used = new Set<string>();
  const path = route.path.replace(/\{(\w+)(\.\.\.)?\}/g, (whole, name: string, rest?: string) => {
    used.add(name);
    const text = values[name];
    if (!text) return whole;
    return rest ? text.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(text);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value && !used.has(name)) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Field(props: { param: Param; value: string; set: (value: string) => void }) {
  const { param } = props;
  const label = (
    <span>
      {param.name}{" "}
      <i class="type">
        {param.choices ? "choice" : param.type}
        {param.required && ", required"}
      </i>
    </span>
  );
  if (param.choices) {
    return (
      <label class="field">
        {label}
        <select value={props.value} onChange={(e) => props.set(e.currentTarget.value)}>
          {!param.required && <option value="" />}
          {param.choices.map((c) => (
            <option key={c}>{c}</option>
          ))}
        </select>
      </label>
    );
  }
  return (
    <label class="field">
      {label}
      <input
        type={param.type === "date" ? "date" : "text"}
        value={props.value}
        required={param.required}
        placeholder={
          param.default === undefined || param.default === null ? "" : String(param.default)
        }
        onInput={(e) => props.set(e.currentTarget.value)}
      />
    </label>
  );
}

export function TryRoute({ route }: { route: RouteInfo }) {
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const target = addressOf(route, values);
  const inPath = (p: Param) => Number(route.path.includes(`{${p.name}`));
  const params = [...route.params].sort((a, b) => inPath(b) - inPath(a));
  const hasBody = route.method !== "GET" && route.method !== "DELETE";
  const ask = async (event: Event) => {
    event.preventDefault();
    const start = performance.now();
    try {
      const init: RequestInit = { method: route.method };
      if (hasBody && body)
        Object.assign(init, { body, headers: { "content-type": "application/json" } });
      const reply = await fetch(target, init);
      const text = pretty(await reply.text());
      setAnswer({
        status: `${reply.status} ${reply.statusText}`,
        ms: performance.now() - start,
        ok: reply.ok,
        text,
      });
    } catch {
      setAnswer({
        status: "no answer",
        ms: performance.now() - start,
        ok: false,
        text: "The engine does not answer.",
      });
    }
  };
  return (
    <form class="try" onSubmit={ask}>
      {params.length > 0 && (
        <div class="filters">
          {params.map((param) => (
            <Field
              key={param.name}
              param={param}
              value={values[param.name] ?? ""}
              set={(value) => setValues({ ...values, [param.name]: value })}
            />
          ))}
        </div>
      )}
      {hasBody && (
        <label class="field">
          Body <textarea rows={4} value={body} onInput={(e) => setBody(e.currentTarget.value)} />
        </label>
      )}
      <p class="form-foot">
        <button type="submit" class="primary">
          Try it
        </button>
        <code class="target">{target}</code>
      </p>
      {answer && (
        <>
          <p class="result-note" role="status">
            <b class={answer.ok ? "tone-done" : "tone-failed"}>{answer.status}</b> in{" "}
            {duration(answer.ms)}
          </p>
          <pre class="typed payload" tabIndex={0} aria-label="Answer">
            {answer.text.slice(0, SHOWN)}
            {answer.text.length > SHOWN && `\n… ${answer.text.length - SHOWN} characters more`}
          </pre>
        </>
      )}
    </form>
  );
}
