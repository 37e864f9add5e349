/** A span for people, roughly: `3 h`. */
export function describeAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A span for people, to the second: `3 min 20 s`. */
export function describeSeconds(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** An instant for people, to the minute: `2026-11-24 02:00 UTC`. */
export function describeInstant(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")} UTC`;
}
