// Keys, deploys and sizes; and, for whoever has no key, the field to enter one.
//
// SPDX-License-Identifier: MIT
import { bytes, count } from "../format";
import { Keys } from "../parts/keys";
import { NeedsKey } from "../parts/needs-key";
import { Place, Section } from "../parts/place";
import { Shown } from "../parts/states";
import { Time } from "../parts/time";
import { useResource } from "../resource";
import { useMay, useSite } from "../site";
import type { Settings } from "../types";

function Sizes({ of }: { of: Settings }) {
  const largest = Math.max(1, ...of.sizes.map((s) => s.bytes));
  return (
    <>
      <p>
        Kept in <code>{of.store}</code>
      </p>
      <table class="sizes">
        <tbody>
          {[...of.sizes]
            .sort((a, b) => b.bytes - a.bytes)
            .map((s) => (
              <tr key={s.name}>
                <th scope="row">{s.name}</th>
                <td class="right">{bytes(s.bytes)}</td>
                <td class="size-bar" aria-hidden="true">
                  <i style={{ width: `${(s.bytes / largest) * 100}%` }} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </>
  );
}

function Deploys({ of }: { of: Settings }) {
  if (!of.deploys.length) return <p class="none">No script has been loaded yet.</p>;
  return (
    <ol class="deploys">
      {of.deploys.map((d) => (
        <li key={d.at}>
          <Time at={d.at} ago /> <code>{d.version.slice(0, 12)}</code>
          <span class="sub">
            {count(d.files.length, "file")}: {d.files.join(", ")}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function SettingsPlace() {
  const site = useSite();
  const admin = useMay("admin");
  const reader = useMay("read");
  const settings = useResource<Settings>(
    reader ? "/api/v1/settings" : null,
    (e) => e.kind === "reload",
  );
  if (!reader)
    return (
      <Place title="Settings">
        <NeedsKey />
      </Place>
    );
  return (
    <Place
      title="Settings"
      summary={`${site.name}, dts ${site.version}. Your key may ${site.scopes.join(", ")}.`}
    >
      {admin && (
        <Section title="Keys">
          <Keys />
        </Section>
      )}
      <Shown of={settings} rows={4}>
        {(data) => (
          <>
            <Section title="Sizes">
              <Sizes of={data} />
            </Section>
            <Section title="Deploys">
              <Deploys of={data} />
            </Section>
          </>
        )}
      </Shown>
    </Place>
  );
}
