import { formatDuration } from '../foundation/duration.ts';
import { clipText } from '../foundation/safe-text.ts';
import type { CounterexampleReport, EventReport } from './judge-history.ts';

const lengthShown = 400;

/** Where an event stands in its history: `line 3  +10ms`. */
export function placeText({ line, atMs }: EventReport): string {
  return `line ${line}  +${formatDuration(atMs)}`;
}

/** What an event says, for people: `op.ok  doc=d opId=p:1 seq=1`. Long ones are cut. */
export function eventText({ event }: EventReport): string {
  const { ev, t: _, ...fields } = event;
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return `${ev}  ${clipText(text, lengthShown)}`;
}

/** The claim, and the events that prove it, in order. */
export function counterexampleText({ claim, events }: CounterexampleReport): string[] {
  return [claim, ...events.map((event) => `  ${placeText(event)}  ${eventText(event)}`)];
}
