// A declared page: title, one sentence, filters in a row, then its charts in a calm grid.
//
// SPDX-License-Identifier: MIT
import { useMemo } from "preact/hooks";
import { Palette } from "../charts/theme";
import { words } from "../format";
import { ChartFigure } from "../parts/chart";
import { beyond, Filters, queryFor } from "../parts/filters";
import { Place } from "../parts/place";
import { Empty, Shown } from "../parts/states";
import { useResource } from "../resource";
import { useAddress } from "../router";
import { useSite } from "../site";
import type { Page } from "../types";

const ONE_CHART = `dts.dashboard { name = "NAME",
  { "line", from = "TABLE", x = "date", y = "value" } }`;

export function PagePlace({ name }: { name: string }) {
  const { query } = useAddress();
  const known = useSite().pages.find((page) => page.name === name);
  const page = useResource<Page>(
    `/api/v1/pages/${encodeURIComponent(name)}`,
    (e) => e.kind === "reload",
  );
  const palette = useMemo(() => new Palette(), [name]);
  const title = page.data?.title || known?.title || words(name);
  return (
    <Place title={title} summary={page.data?.summary || known?.summary}>
      <Shown of={page} rows={8}>
        {(data) => (
          <>
            <Filters filters={data.filters} />
            {data.charts.length === 0 && (
              <Empty title="This page has no charts yet" type={ONE_CHART}>
                Declare one in its script:
              </Empty>
            )}
            <div class="grid">
              {data.charts.map((chart, i) => (
                <ChartFigure
                  key={i}
                  page={name}
                  chart={chart}
                  place={i}
                  palette={palette}
                  query={queryFor(data.filters, chart.filters, query)}
                  beyond={beyond(data.filters, chart.filters, query)}
                />
              ))}
            </div>
          </>
        )}
      </Shown>
    </Place>
  );
}
