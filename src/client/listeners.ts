/** Listeners by event. One that throws is reported as an uncaught error and disturbs no other. */
export class Listeners<Events> {
  readonly #byEvent = new Map<keyof Events, Set<(event: never) => void>>();

  on<Name extends keyof Events>(name: Name, listen: (event: Events[Name]) => void): () => void {
    const listening = this.#byEvent.get(name) ?? new Set();
    this.#byEvent.set(name, listening.add(listen));
    return () => void listening.delete(listen);
  }

  count(name: keyof Events): number {
    return this.#byEvent.get(name)?.size ?? 0;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listen of [...(this.#byEvent.get(name) ?? [])]) {
      try {
        (listen as (event: Events[Name]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
