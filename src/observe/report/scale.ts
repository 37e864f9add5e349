/** From values to places in a picture, and the values to write beside it. */
export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
  readonly top: number;
}

/** A scale from 0 to a round number at or above `highest`, over so many units of the picture; `from` is where 0 stands. */
export function linearScale(highest: number, from: number, to: number): Scale {
  const step = highest < SMALLEST ? 1 : roundStep(highest / STEPS);
  const count = Math.max(1, Math.ceil(highest / step - 1e-9));
  const top = step * count;
  return {
    place: (value) => from + ((to - from) * value) / top,
    ticks: Array.from({ length: count + 1 }, (_, index) => step * index),
    top,
  };
}

const STEPS = 4;
/** Less than this is nothing, in whatever a chart shows. */
const SMALLEST = 1e-6;

/** 1, 2, 2.5 or 5 times a power of ten, at or above the value. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate >= value / power - 1e-9) ?? 10;
  return factor * power;
}

/** Seconds of a run to write beside its picture: every so many seconds or minutes that at most so many marks fit. */
export function timeScale(seconds: number, from: number, to: number, marks = 8): Scale {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].find((candidate) => seconds / candidate <= marks) ?? 86_400;
  const top = Math.max(seconds, 1);
  return {
    place: (value) => from + ((to - from) * value) / top,
    ticks: Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step),
    top,
  };
}

/** `45 s`, `2:30`, `1:02:30`. */
export function clockOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours === 0 ? `${minutes}:${two(rest)}` : `${hours}:${two(minutes)}:${two(rest)}`;
}

/** A number for a picture: no more digits than an eye can use. */
export function shortNumber(value: number): string {
  if (value === 0) return "0";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** A coordinate: a tenth of a unit is finer than any screen. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}
