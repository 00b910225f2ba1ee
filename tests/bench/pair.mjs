// Two ways of doing one thing, timed in turn in one run: the machine's drift falls on both. A bench prints one line a
// figure: name, ours and the peer's median with their range, the ratio of the medians, and the goal that it is held to.
// SPDX-License-Identifier: MIT

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const spread = (values, unit) =>
  `${round(median(values))} ${unit} (${round(Math.min(...values))}–${round(Math.max(...values))})`;
const round = (n) => (n >= 100 ? Math.round(n) : Number(n.toPrecision(3)));

/** Runs ours and peer in turn, `rounds` times each after one warming round; each returns (or resolves to) a figure. */
export async function pair(ours, peer, rounds = 5) {
  const figures = { ours: [], peer: [] };
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await ours(), await peer()];
    if (round > 0) { figures.ours.push(a); figures.peer.push(b); }
  }
  return figures;
}

/** Prints the comparison; `goal` is { atMost } or { atLeast } of ours/peer. Returns whether it was reached. */
export function report(name, { ours, peer }, { unit, against, goal = {} }) {
  const ratio = median(ours) / median(peer);
  const reached = ratio <= (goal.atMost ?? Infinity) && ratio >= (goal.atLeast ?? 0);
  const wanted = goal.atMost ? `at most ${goal.atMost}` : goal.atLeast ? `at least ${goal.atLeast}` : "none";
  console.log(`${reached ? "reached" : "MISSED "} ${name}: ${spread(ours, unit)}, ${against} ${spread(peer, unit)}, ` +
    `ratio ${ratio.toFixed(2)}, goal ${wanted}`);
  return reached;
}

/** One figure without a peer, held to a number of its own. */
export function single(name, values, { unit, goal = {} }) {
  const middle = median(values);
  const reached = middle <= (goal.atMost ?? Infinity) && middle >= (goal.atLeast ?? 0);
  const wanted = goal.atMost ? `at most ${goal.atMost}` : goal.atLeast ? `at least ${goal.atLeast}` : "none";
  console.log(`${reached ? "reached" : "MISSED "} ${name}: ${spread(values, unit)}, goal ${wanted}`);
  return reached;
}
