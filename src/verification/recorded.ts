/** Where an event stands: its line in the file, and its time in milliseconds. */
export interface Recorded {
  readonly line: number;
  readonly atMs: number;
}

export type Certain = 'definite' | 'indefinite';
