type FieldKind = 'number' | 'string' | 'array';

/** By type of message, the fields the client relies on. */
export type Shapes<Type extends string> = Readonly<
  Record<Type, Readonly<Record<string, FieldKind>>>
>;

/**
 * A message of a node as JSON text; null when it is none, or of no type in `shapes`. It may have
 * more fields than those: a node may be of a later version than the client.
 */
export function readShaped<Type extends string>(
  data: unknown,
  shapes: Shapes<Type>,
): { readonly type: Type } | null {
  if (typeof data !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object') return null;
  const message = value as Record<string, unknown>;
  const { type } = message;
  if (typeof type !== 'string' || !Object.hasOwn(shapes, type)) return null;
  for (const [field, kind] of Object.entries(shapes[type as Type])) {
    const found = message[field];
    if (kind === 'array' ? !Array.isArray(found) : typeof found !== kind) return null;
  }
  return message as { readonly type: Type };
}
