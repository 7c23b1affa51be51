import { clockText, plural, sinceText } from '../drawing/figures.ts';
import {
  fitted,
  type Piece,
  piece,
  type ScreenLine,
  shown,
  widthOf,
} from '../drawing/screen-line.ts';
import { glyphsOf, type Theme } from '../drawing/theme.ts';
import type { Picture } from '../state/picture.ts';

/** Which cluster this is, how it is in three words, and whether what is shown is the present. */
export function titleBar(
  picture: Picture,
  isPaused: boolean,
  columns: number,
  theme: Theme,
): ScreenLine {
  const state = stateOf(picture, isPaused);
  const pulse = columns >= 70 ? pulseText(picture, theme) : '';
  const right = [...(pulse === '' ? [] : [piece(pulse), piece('  ')]), state];
  const rightWidth = right.reduce((sum, { text }) => sum + widthOf(text), 0);
  const left = Math.max(0, columns - rightWidth - 1);
  const name = shown(`backplane ${glyphsOf(theme).separator} ${picture.cluster}`, theme);
  return { pieces: [piece(fitted(name, left, theme), 'title'), piece(' '), ...right] };
}

function stateOf({ link, pulse, slider, isReplay }: Picture, isPaused: boolean): Piece {
  const at = pulse?.at ?? null;
  if (link.state === 'lost') {
    if (isReplay) return piece('UNREADABLE', 'bad');
    return piece(`BROKER GONE since ${clockText(link.since)}`, 'bad');
  }
  if (isReplay) {
    return piece(`${slider?.isPlaying ? 'PLAYING' : 'REPLAY'} ${clockText(at)}`, 'warning');
  }
  if (isPaused) return piece(`PAUSED ${clockText(at)}`, 'warning');
  if (link.state === 'connecting') return piece('connecting', 'dim');
  return piece(`live ${clockText(at)}`, 'good');
}

function pulseText({ pulse }: Picture, theme: Theme): string {
  if (!pulse) return '';
  const { nodes, documents } = pulse.totals;
  const alive = nodes.live + nodes.draining + nodes.deaf + nodes.silent;
  const dot = ` ${glyphsOf(theme).separator} `;
  return [plural(alive, 'node'), plural(documents, 'document')].join(dot);
}

/** Where a moment lies between the first and the last that is known. */
export function timeSlider(picture: Picture, columns: number, theme: Theme): ScreenLine | null {
  const { slider, pulse } = picture;
  if (slider === null) return null;
  const { rule, knob } = glyphsOf(theme);
  const start = `${clockText(slider.firstAt)} `;
  const behind = pulse ? sinceText(pulse.at, slider.lastAt) : '-';
  const end = ` ${clockText(slider.lastAt)}  ${slider.at + 1}/${slider.length}, ${behind} before the end`;
  const short = ` ${clockText(slider.lastAt)}`;
  const tail = columns >= 72 ? end : short;
  const room = Math.max(3, columns - start.length - tail.length);
  const place = Math.round((slider.at / Math.max(1, slider.length - 1)) * (room - 1));
  return {
    pieces: [
      piece(start, 'dim'),
      piece(rule.repeat(place), 'accent'),
      piece(knob, 'warning'),
      piece(rule.repeat(Math.max(0, room - place - 1)), 'dim'),
      piece(tail, 'dim'),
    ],
  };
}
