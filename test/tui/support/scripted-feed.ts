import type { Feed, Seek } from '../../../src/tui/feeds/feed.ts';
import type { Picture, Wish } from '../../../src/tui/state/picture.ts';

/** A feed that shows what a test says, and remembers what it was asked. */
export class ScriptedFeed implements Feed {
  readonly wishes: Wish[] = [];
  readonly seeks: Seek[] = [];
  isPaused: boolean | null = null;
  #picture: Picture;
  #listen: () => void = () => {};

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#listen();
  }

  picture(): Picture {
    return this.#picture;
  }

  onChange(listen: () => void): void {
    this.#listen = listen;
  }

  wish(wish: Wish): void {
    this.wishes.push(wish);
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
  }

  seek(target: Seek): void {
    this.seeks.push(target);
  }

  start(): void {}

  async stop(): Promise<void> {}
}
