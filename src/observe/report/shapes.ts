import { attributes, type Markup, markup } from "./markup.ts";
import { coordinate } from "./scale.ts";

/** The looks of things in pictures: those of a colour, or the plain one of what belongs to none. */
export type Look = "blue" | "green" | "plain";

/** Blue is a circle, green a square, everywhere in the report. */
export function shape(look: Look, x: number, y: number): Markup {
  switch (look) {
    case "blue":
      return markup`<circle class="mark blue"${attributes({ cx: coordinate(x), cy: coordinate(y), r: 3 })}/>`;
    case "green":
      return markup`<rect class="mark green"${attributes({ x: coordinate(x - 3), y: coordinate(y - 3), width: 6, height: 6 })}/>`;
    case "plain":
      return markup`<path class="mark plain" d="M${coordinate(x)} ${coordinate(y - 4)}l4 7h-8z"/>`;
  }
}

/** A failure. */
export function cross(x: number, y: number): Markup {
  return markup`<path d="M${coordinate(x - 4)} ${coordinate(y - 4)}l8 8m0-8l-8 8"/>`;
}
