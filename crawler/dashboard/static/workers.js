// What do all workers of a crawl do together? Shown by each of them, where there are several.

import { follow, say } from "./rows.js";
import { count, duration, rate, size } from "./words.js";

const get = (id) => document.getElementById(id);
const number = (value) => ({ text: count(value), class: "n" });

function sentence(fleet) {
  if (fleet.admitted === undefined) return fleet.why || "Being read from Redis.";
  const ended = fleet.admitted - fleet.pending;
  const outcomes = Object.entries(fleet.outcomes).map(([name, n]) => `${count(n)} ${name}`).join(", ");
  const parts = [
    `${count(fleet.admitted)} URLs = ${count(ended)} ended${outcomes ? ` (${outcomes})` : ""} + ${count(fleet.pending)} pending`,
    `${rate(fleet.pages_per_s)} pages a second, ${count(fleet.in_flight)} in flight`,
    `partitions: ${count(fleet.held)} held, ${count(fleet.free)} free`,
  ];
  if (fleet.oldest_lease_s !== null) parts.push(`oldest lease of ${duration(fleet.oldest_lease_s)}`);
  if (fleet.on_the_way) parts.push(`${count(fleet.on_the_way)} blocks of URLs on their way`);
  if (fleet.memory_bytes !== null) parts.push(`Redis holds ${size(fleet.memory_bytes)}`);
  if (fleet.gone) parts.push(`${fleet.gone === 1 ? "1 other" : `${count(fleet.gone)} others`} came and went`);
  return `${parts.join(" · ")}${fleet.why ? ` · as of earlier: ${fleet.why}` : ""}`;
}

// What the whole crawl may be told now, as `enable` of the page wants it.
export function mayAll(fleet, live) {
  const known = live && fleet && fleet.state !== undefined;
  return {
    pauseall: known && fleet.state === "running", resumeall: known && fleet.state === "paused",
    stopall: known && (fleet.state === "running" || fleet.state === "paused"),
  };
}

export function showWorkers(fleet) {
  get("fleet").hidden = !fleet;
  if (!fleet) return;
  say(get("fleet-state"), fleet.state ? `the whole crawl: ${fleet.state}${fleet.state_why ? ` (${fleet.state_why})` : ""}` : "");
  say(get("fleet-told"), sentence(fleet));
  follow(get("workers"), (fleet.workers ?? []).map((worker) => [
    { text: `${worker.id} ${worker.name}`, head: true }, { text: worker.state, class: "word" }, number(worker.held),
    { text: `${duration(worker.heard_s)} ago`, class: "n" }, number(worker.pages), { text: rate(worker.pages_per_s), class: "n" },
    number(worker.in_flight), number(worker.pending), { text: size(worker.memory_bytes), class: "n" },
  ]), "no worker is known yet");
}
