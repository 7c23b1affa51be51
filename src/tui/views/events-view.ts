import type { PulseEvent } from '../../operations/watch/pulse-events.ts';
import { clockText } from '../drawing/figures.ts';
import type { Tone } from '../drawing/theme.ts';
import { defineTable } from './view.ts';

interface NumberedEvent extends PulseEvent {
  readonly number: number;
}

/** What happened since somebody looks, the latest first. */
export const eventsView = defineTable<NumberedEvent>({
  name: 'events',
  aliases: ['event', 'ev', 'e'],
  title: 'Events',
  columns: [
    {
      key: 'time',
      header: 'TIME (UTC)',
      text: ({ at }) => clockText(at),
      value: ({ number }) => number,
      yields: 0,
    },
    {
      key: 'severity',
      header: 'SEVERITY',
      text: ({ severity }) => severity,
      tone: ({ severity }) => toneOfEvent(severity),
      value: ({ severity }) => ['bad', 'warning', 'info'].indexOf(severity),
      yields: 2,
    },
    {
      key: 'node',
      header: 'NODE',
      text: ({ nodeId }) => nodeId ?? '-',
      value: ({ nodeId }) => nodeId,
      widthMax: 32,
      yields: 1,
    },
    {
      key: 'event',
      header: 'WHAT HAPPENED',
      text: ({ text }) => text,
      tone: ({ severity }) => toneOfEvent(severity),
      value: ({ text }) => text,
      yields: 0,
    },
  ],
  rows: ({ events }) => events.map((event, number) => ({ ...event, number })).reverse(),
  keyOf: ({ at, number }) => `${at} ${number}`,
  empty: 'nothing has happened since you look',
});

export function toneOfEvent(severity: PulseEvent['severity']): Tone {
  return severity === 'info' ? 'plain' : severity;
}
