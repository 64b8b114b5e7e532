// What does the crawl do now? Follows its events, and tells it what the reader wants.

import { Chart } from "./chart.js";
import { element, follow, pass, say } from "./rows.js";
import { mayAll, showWorkers } from "./workers.js";
import { clock, count, duration, percent, percentile, rate, roughly, size } from "./words.js";

const get = (id) => document.getElementById(id);
const chart = new Chart(get("speed"), get("speed-at"));
const MAX_PAUSE_S = 15;
const MAX_TRIES = 40;
const WORDS = {
  running: "", waiting: "", paused: "The crawl is paused.",
  stopping: "The crawl is stopping.", stuck: "The crawl is stuck.", finished: "The crawl has ended.", lost: "The connection is lost.",
};
let now = null;
let shown = "";
let source = null;
let tries = 0;

// --- what is told of the state: only where it changes, since it is read aloud -------------------------------------

function tell(state, more = "") {
  const badge = get("state");
  say(badge, state);
  badge.dataset.state = state;
  const text = `${WORDS[state] || ""} ${more}`.trim();
  if (text === shown) return;
  get("told").textContent = shown && !text ? "The crawl goes on." : text;
  shown = text;
}

// --- the numbers ---------------------------------------------------------------------------------------------------

const tiles = new Map();

function tile(name, value, note = "", bad = false) {
  if (!tiles.has(name)) {
    const parts = [element("dt", { text: name }), element("dd", { class: "big" }), element("dd", { class: "small" })];
    get("tiles").append(element("div", {}, ...parts));
    tiles.set(name, parts);
  }
  const [, big, small] = tiles.get(name);
  say(big, value);
  say(small, note);
  big.classList.toggle("bad", bad);
}

function showTiles(s) {
  const { budget, machine } = s;
  const of = (limit, written) => (limit === null ? "" : `of ${written(limit)}`);
  tile("Pages", count(s.pages), of(budget.pages, count) || `${count(s.answers)} answers`);
  tile("Pages a second", rate(s.pages_per_s), `${rate(s.mean_pages_per_s)} on average`);
  tile("Time left", s.end ? "–" : s.eta ? `${s.eta.at_least ? "over " : "~"}${roughly(s.eta.seconds)}` : "unknown", `${duration(s.elapsed_s)} so far ${of(budget.time_s, duration)}`);
  tile("Queue", count(s.waiting), s.retrying ? `${count(s.retrying)} to retry` : "");
  tile("In flight", count(s.in_flight), `at most ${count(s.concurrency)}`);
  tile("Failed", count(s.failed), percentOfEnded(s), s.failed > 0);
  tile("Received", size(s.wire_bytes), of(budget.bytes, size) || `${size(Math.round(s.wire_bytes / Math.max(s.elapsed_s, 1)))}/s on average`);
  tile("Memory", size(machine.memory_bytes), machine.cores_busy === null ? "" : `${machine.cores_busy.toFixed(2)} cores busy`);
  tile("Parsers busy", machine.parsers_busy === null ? "–" : percent(machine.parsers_busy), `${count(s.parsing)} answers wait`);
}

function percentOfEnded(s) {
  const ended = s.admitted - s.waiting - s.in_flight;
  return ended > 0 ? `${percent(Math.min(s.failed / ended, 1))} of those ended` : "";
}

const number = (value) => ({ text: count(value), class: "n" });
const word = (text, kind = "word") => ({ text, class: kind });

function showTables(s) {
  const rows = [
    ["URLs found and in scope", s.admitted], ["waiting", s.waiting], ["in flight", s.in_flight], ["to be retried", s.retrying],
    ["with parsers", s.parsing], ["not stored yet", s.uncommitted], ...Object.entries(s.outcomes).filter(([, n]) => n).map(([name, n]) => [`ended: ${name}`, n]),
    ["links out of scope", s.refused], ...Object.entries(s.conditions).map(([name, n]) => [`hosts: ${name}`, n]),
  ];
  follow(get("queue"), rows.map(([name, n]) => [{ text: name, head: true }, number(n)]), "");
  const answers = Math.max(s.answers, 1);
  follow(get("statuses"), s.statuses.map(([status, told, n]) => [
    { text: String(status), head: true }, word(told), number(n), { share: n / answers, bad: status >= 400 },
  ]), "no answer yet");
  follow(get("percentiles"), [["lately" , `last minute (${count(s.latency.lately_count)})`], ["all", "all"]].map(([key, name]) => [
    { text: name, head: true }, ...["p50", "p90", "p99"].map((share) => ({ text: percentile(s.latency[key][share]), class: "n" })),
  ]), "");
  const { bounds_s: bounds, counts } = s.latency;
  const [from, to] = [counts.findIndex((n) => n), counts.findLastIndex((n) => n)];  // empty ends say nothing
  follow(get("latency"), counts.map((n, index) => [
    { text: index < bounds.length ? duration(bounds[index]) : `over ${duration(bounds.at(-1))}`, head: true, class: "nowrap" }, number(n), { share: n / answers },
  ]).slice(Math.max(from, 0), to + 1), "no answer yet");
  follow(get("reasons"), s.reasons.map(([outcome, reason, told, n]) => [
    { text: outcome, head: true, class: outcome === "failed" ? "nowrap failed-word" : "nowrap" }, word(told ? `${reason}: ${told}` : reason), number(n),
  ]), "none has a reason yet");
}

function showHosts(s) {
  const doing = (host) => word(host.condition, "nowrap");
  follow(get("busiest"), s.busiest.map((host) => [
    { text: host.host, head: true }, doing(host), number(host.requests), { text: `${host.in_flight} of ${host.concurrency}`, class: "n" },
    { text: duration(host.delay_s), class: "n" }, { text: host.latency_s ? duration(host.latency_s) : "–", class: "n" }, number(host.failures),
  ]), "no host was asked yet");
  follow(get("slowest"), s.slowest.map((host) => [
    { text: host.host, head: true }, doing(host), { text: duration(host.wait_s), class: "n" }, word(host.why), { text: duration(host.delay_s), class: "n" },
  ]), "none has to wait for long");
}

function showLatest(s) {
  pass(get("pages"), s.pages_seen.map((page) => ({ key: `${page.at} ${page.url}`, cells: [
    word(clock(page.at), "nowrap"), { text: String(page.status ?? ""), class: "n" }, word(page.title ?? ""), { url: page.url },
    { text: page.elapsed_s === null ? "" : duration(page.elapsed_s), class: "n" },
  ] })), "no page yet");
  pass(get("failures"), s.failures.map((failure) => ({ key: `${failure.at} ${failure.url}`, cells: [
    word(clock(failure.at), "nowrap"), word(failure.reason, "nowrap failed-word"), { url: failure.url }, number(failure.attempts), { url: failure.via ?? "" },
  ] })), "nothing has failed");
  get("scraped").hidden = !s.records.length;
  say(get("records"), s.records.map(([rule, n, rejects]) => `${rule}: ${count(n)}${rejects ? ` and ${count(rejects)} rejected` : ""}`).join(" · "));
  pass(get("items"), s.items.map((item) => ({ key: JSON.stringify(item), cells: [
    { text: item.rule, head: true, class: "nowrap" }, { fields: item.fields }, { url: item.url },
  ] })), "no record of this run yet");
}

function show(s) {
  now = s;
  say(get("name"), s.name);
  say(get("version"), s.version);
  document.title = `${s.state === "running" ? `${rate(s.pages_per_s)}/s` : s.state} · ${s.name}`;
  say(get("why"), s.why);
  tell(s.state, s.end ? s.end.told : s.why);
  say(get("concurrency"), count(wanted ?? s.concurrency));
  showTiles(s);
  showTables(s);
  showHosts(s);
  showLatest(s);
  showWorkers(s.fleet);
  showChart();
  enable();
}

function showChart() {
  const span = document.querySelector("input[name=span]:checked").value;
  if (now) chart.show(now[span], span);
}

// A button that is used is not taken away from under the keyboard: what makes no sense now is said to be so.
function enable() {
  const live = source !== null && now !== null && !now.end && now.state !== "stopping";
  const may = { pause: live && !now.paused, resume: live && now.paused, stop: live, fewer: live && now.concurrency > 1, more: live && now.concurrency < now.most, ...mayAll(now?.fleet, live) };
  for (const [id, is] of Object.entries(may)) {
    get(id).disabled = false;
    get(id).setAttribute("aria-disabled", String(!is));
  }
}

// --- the connection ------------------------------------------------------------------------------------------------

function connect() {
  source?.close();
  const mine = new EventSource("/events");
  source = mine;
  mine.addEventListener("state", (event) => {
    tries = 0;
    show(JSON.parse(event.data));
  });
  mine.addEventListener("end", (event) => {
    mine.close();  // there is nothing to connect to any more
    source = null;
    show(JSON.parse(event.data));
  });
  mine.addEventListener("error", () => {
    mine.close();
    if (source !== mine) return;
    source = null;
    lost();
  });
}

function lost() {
  enable();
  tries += 1;
  if (tries > MAX_TRIES) {
    tell("lost", "The crawl has ended or cannot be reached. Reload the page to try again.");
    return;
  }
  tell("lost", "Trying to connect again.");
  setTimeout(connect, Math.min(2 ** (tries - 1), MAX_PAUSE_S) * 500);
}

// --- what the crawl is told ----------------------------------------------------------------------------------------

let wanted = null;  // requests in flight, as long as the crawl has not answered
let sending = Promise.resolve();  // one wish after the other
let unanswered = 0;

function wish(action, value) {
  unanswered += 1;
  sending = sending.then(() => send(action === "concurrency" ? { action, value } : { action })).finally(() => {
    unanswered -= 1;
    if (!unanswered) wanted = null;
  });
}

async function send(body) {
  try {
    const answer = await fetch("/control", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (answer.ok) {
      now.concurrency = (await answer.json()).concurrency;
      say(get("concurrency"), count(wanted ?? now.concurrency));
    } else {
      get("told").textContent = `The crawl did not take it: ${(await answer.text()).slice(0, 200)}`;
    }
  } catch {
    get("told").textContent = "The crawl could not be reached.";
  }
}

// A tenth more or fewer, of what was wanted last: presses may come faster than answers.
function step(sign) {
  const from = wanted ?? now.concurrency;
  wanted = Math.min(Math.max(from + sign * Math.max(1, Math.round(from / 10)), 1), now.most);
  say(get("concurrency"), count(wanted));
  wish("concurrency", wanted);
}

const acts = {
  pause: () => wish("pause"), resume: () => wish("resume"), stop: () => ask("stop"),
  pauseall: () => wish("pause_all"), resumeall: () => wish("resume_all"), stopall: () => ask("stop_all"),
  fewer: () => step(-1), more: () => step(1),
};

function act(id) {
  if (get(id).getAttribute("aria-disabled") === "false") acts[id]();
}

for (const id of Object.keys(acts)) get(id).addEventListener("click", () => act(id));
let asked = "stop";  // this worker, or the whole crawl
function ask(action) {
  asked = action;
  say(get("sure-h"), action === "stop" ? (now.fleet ? "Stop this worker?" : "Stop the crawl?") : "Stop the crawl for all workers?");
  get("sure").showModal();
}
get("sure").addEventListener("close", () => {
  if (get("sure").returnValue === "stop") wish(asked);
  get("sure").returnValue = "";
});

const KEYS = { p: "pause", r: "resume", q: "stop", "+": "more", "=": "more", "-": "fewer" };
document.addEventListener("keydown", (event) => {
  if (!get("keys").checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat || get("sure").open) return;
  const id = KEYS[event.key];
  if (id) {
    event.preventDefault();
    act(id);
  }
});

// --- what the reader prefers, remembered where the browser lets it be -----------------------------------------------

const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* then not */ } };

const THEMES = ["system", "light", "dark"];
function wear(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  get("theme").textContent = `Theme: ${theme}`;
}
get("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "system") + 1) % THEMES.length];
  wear(next);
  remember("theme", next);
});
wear(THEMES.includes(remembered("theme")) ? remembered("theme") : "system");
get("keys").checked = remembered("keys") !== "off";
get("keys").addEventListener("change", () => remember("keys", get("keys").checked ? "on" : "off"));
for (const choice of document.querySelectorAll("input[name=span]")) choice.addEventListener("change", showChart);

connect();
