import { formatDuration } from '../../../foundation/duration.ts';

export interface Tick {
  readonly x: number;
  readonly label: string;
}

export interface AxisRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const ticksMax = 14;
const stepsMs = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000],
  ...[60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000],
  ...[3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000],
];

/** Where times stand in a picture, and which of them are written under it. */
export class TimeAxis {
  readonly left: number;
  readonly width: number;
  readonly range: AxisRange;
  readonly ticks: readonly Tick[];

  constructor(place: { readonly left: number; readonly width: number }, range: AxisRange) {
    this.left = place.left;
    this.width = place.width;
    this.range = range;
    this.ticks = this.#tickList();
  }

  get right(): number {
    return this.left + this.width;
  }

  /** Times outside are at the edge. */
  x(atMs: number): number {
    const { fromMs, toMs } = this.range;
    const share = (atMs - fromMs) / Math.max(1, toMs - fromMs);
    return this.left + this.width * Math.min(1, Math.max(0, share));
  }

  shows(fromMs: number, toMs: number): boolean {
    return toMs >= this.range.fromMs && fromMs <= this.range.toMs;
  }

  #tickList(): Tick[] {
    const { fromMs, toMs } = this.range;
    const spanMs = toMs - fromMs;
    const stepMs = stepsMs.find((step) => spanMs / step <= ticksMax) ?? spanMs;
    const ticks: Tick[] = [];
    for (let ms = Math.ceil(fromMs / stepMs) * stepMs; ms <= toMs; ms += stepMs) {
      ticks.push({ x: this.x(ms), label: clockText(ms, stepMs) });
    }
    return ticks;
  }
}

/** `0`, `5 s`, `2:30`, `1:05:00`: since the start, as exact as the steps are. */
function clockText(ms: number, stepMs: number): string {
  if (ms === 0) return '0';
  if (stepMs < 1_000) return formatDuration(ms).replace(/(?<=\d)(?=[a-z])/, ' ');
  const seconds = Math.round(ms / 1_000);
  if (ms < 120_000 && stepMs < 60_000) return `${seconds} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (hours === 0) return `${minutes}:${two(seconds % 60)}`;
  return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}
