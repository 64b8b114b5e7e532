// How are numbers written for a person? As the command line does.

const whole = new Intl.NumberFormat("en");
const one = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (number) => whole.format(number);

export const rate = (number) => (number >= 100 ? whole.format(Math.round(number)) : one.format(number));

export const percent = (share) => `${one.format(share * 100)} %`;

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  for (const unit of ["KiB", "MiB", "GiB"]) {
    bytes /= 1024;
    if (bytes < 999.95) return `${bytes.toFixed(1)} ${unit}`;
  }
  return `${(bytes / 1024).toFixed(1)} TiB`;
}

export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  if (all >= 86400) return `${Math.floor(all / 86400)} d ${two((all % 86400) / 3600)} h`;
  if (all >= 3600) return `${Math.floor(all / 3600)} h ${two((all % 3600) / 60)} min`;
  if (all >= 60) return `${Math.floor(all / 60)} min ${two(all % 60)} s`;
  return `${all} s`;
}

export function roughly(seconds) {
  for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= 1.5 * length) return `${(seconds / length).toFixed(seconds >= 9.95 * length ? 0 : 1)} ${unit}`;
  }
  return `${Math.round(seconds)} s`;
}

// A percentile: seconds, and whether all that is known is that it took longer.
export function percentile(value) {
  if (!value) return "–";
  const [seconds, over] = value;
  return `${over ? "over " : ""}${duration(seconds)}`;
}

export function clock(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("en-GB");
}
