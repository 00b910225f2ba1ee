// The head of a place: title, one sentence, actions. The title takes the focus after a change of
// place, so that a screen reader says where one is.
//
// SPDX-License-Identifier: MIT
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useSite } from "../site";

export function Place(props: {
  title: string;
  summary?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const site = useSite();
  useEffect(() => {
    document.title = site.name ? `${props.title} · ${site.name}` : props.title;
  }, [props.title, site.name]);
  return (
    <>
      <header class="place-head">
        <div>
          <h1 tabIndex={-1} id="title">
            {props.title}
          </h1>
          {props.summary && <p class="summary">{props.summary}</p>}
        </div>
        {props.actions && <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </>
  );
}

export function Section(props: { title: string; children: ComponentChildren; note?: string }) {
  return (
    <section class="section">
      <h2>
        {props.title}
        {props.note && <small>{props.note}</small>}
      </h2>
      {props.children}
    </section>
  );
}
