/** The same action, of which twice is once: whoever asks again waits for the first. */
export function once(run: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= run();
    return done;
  };
}
