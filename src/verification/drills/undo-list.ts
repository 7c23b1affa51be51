/** What must be ended again, the last first. A step that fails does not keep the others from it. */
export class UndoList {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  closes<Opened extends { close(): Promise<unknown> }>(opened: Opened): Opened {
    this.add(() => opened.close());
    return opened;
  }

  /** Twice is once. */
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step().catch(() => {});
  }
}
