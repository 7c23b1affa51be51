import type { Registry } from '../../ports/registry.ts';

/** Registrations at the other end of a network: every call travels by `call`. */
export function simRegistry(
  inner: Registry,
  call: <T>(step: () => T | Promise<T>) => Promise<T>,
): Registry {
  return {
    write: (write) => call(() => inner.write(write)),
    versions: (hub) => call(() => inner.versions(hub)),
    read: (session, hub, from) => call(() => inner.read(session, hub, from)),
    hubs: (from) => call(() => inner.hubs(from)),
    hold: (claim, how) => call(() => inner.hold(claim, how)),
    letGo: (name, session, token) => call(() => inner.letGo(name, session, token)),
    holder: (name) => call(() => inner.holder(name)),
    names: (from) => call(() => inner.names(from)),
    clear: (session) => call(() => inner.clear(session)),
  };
}
