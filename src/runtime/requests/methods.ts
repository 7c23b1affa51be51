import { BackplaneError, isBackplaneError } from '../../foundation/errors.ts';
import type { HandledRequest, RequestHandler } from '../node.ts';

const methodName = /^[a-z][a-z0-9.-]{0,63}$/;

/**
 * The methods others can call by name. A `Map`, so that no name finds something nobody registered,
 * as `constructor` would on an object.
 */
export class Methods {
  readonly #handlers = new Map<string, RequestHandler>();

  register(method: string, handler: RequestHandler): void {
    if (!methodName.test(method)) {
      throw new BackplaneError('CONFIG_INVALID', `"${method}" cannot be the name of a method`, {
        remedy: 'use a lower-case letter, then letters, digits, dots and dashes',
      });
    }
    this.#handlers.set(method, handler);
  }

  names(): string[] {
    return [...this.#handlers.keys()].sort();
  }

  async run(request: HandledRequest): Promise<Uint8Array> {
    const handler = this.#handlers.get(request.method);
    if (!handler) {
      const shown = JSON.stringify(request.method.slice(0, 80));
      throw new BackplaneError('METHOD_UNKNOWN', `no node handles the method ${shown}`);
    }
    try {
      return await handler(request);
    } catch (cause) {
      if (isBackplaneError(cause)) throw handled(cause);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BackplaneError('HANDLER_FAILED', `${request.method} failed: ${why}`, { cause });
    }
  }
}

/**
 * A handler may answer with a code that, coming from the runtime, would mean "not run, ask again".
 * Coming from the handler it means that it was run, so it must not be asked again.
 */
function handled(error: BackplaneError): BackplaneError {
  const { code, message, certainty, remedy } = error;
  const facts = { ...error.facts, handled: true };
  return new BackplaneError(code, message, { cause: error, certainty, remedy, facts });
}

export function wasHandled(error: BackplaneError): boolean {
  return error.facts.handled === true;
}
