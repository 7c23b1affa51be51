import type { BrowserSeat } from './browser-seat.ts';
import type { DaemonGuide } from './daemon-guide.ts';
import type { DaemonSeat } from './daemon-seat.ts';

/** What this node has of one workspace. */
export class RelayWorkspace {
  readonly name: string;
  readonly guide: DaemonGuide;
  /** By connection. */
  readonly browsers = new Map<string, BrowserSeat>();
  daemon: DaemonSeat | null = null;
  redirects = 0;
  dropped = 0;

  constructor(name: string, guide: DaemonGuide) {
    this.name = name;
    this.guide = guide;
  }

  get isEmpty(): boolean {
    return this.browsers.size === 0 && this.daemon === null;
  }

  get queuedBytes(): number {
    let bytes = this.daemon?.queuedBytes ?? 0;
    for (const browser of this.browsers.values()) bytes += browser.queuedBytes;
    return bytes;
  }
}
