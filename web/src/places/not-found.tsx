// An address that names no place.
//
// SPDX-License-Identifier: MIT
import { Place } from "../parts/place";
import { Empty } from "../parts/states";

export function NotFound({ path }: { path: string }) {
  return (
    <Place title="Nothing here">
      <Empty title={`There is no place at ${path}`}>
        The address may be misspelt, or the page was renamed. <a href="/">Go to the first page</a>
      </Empty>
    </Place>
  );
}
