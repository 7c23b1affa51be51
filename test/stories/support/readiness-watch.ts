export interface Readiness {
  readonly status: number;
  /** The names of the checks that failed. */
  readonly failing: readonly string[];
}

/** What a load balancer learns from a node now. */
export async function readinessOf(address: string): Promise<Readiness> {
  const response = await fetch(`${address}/health/ready`);
  const { checks = [] } = (await response.json()) as { checks?: { name: string; ok: boolean }[] };
  return {
    status: response.status,
    failing: checks.filter(({ ok }) => !ok).map(({ name }) => name),
  };
}

/** A load balancer that asks again and again, and remembers what changed. */
export class ReadinessWatch {
  /** Each answer that differs from the one before it. */
  readonly seen: Readiness[] = [];
  readonly #address: string;
  #watching = true;
  readonly #ended: Promise<void>;

  constructor(address: string) {
    this.#address = address;
    this.#ended = this.#watch();
  }

  get statuses(): number[] {
    return this.seen.map(({ status }) => status);
  }

  async stop(): Promise<void> {
    this.#watching = false;
    await this.#ended;
  }

  async #watch(): Promise<void> {
    while (this.#watching) {
      const now = await readinessOf(this.#address).catch(() => null);
      // A node that does not answer at all has ended, or the test has.
      if (now === null) return;
      if (now.status !== this.seen.at(-1)?.status) this.seen.push(now);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
