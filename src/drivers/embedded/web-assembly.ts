/**
 * The part of the global WebAssembly that we use, with types: the type library of Node.js has none.
 */
export interface WasmMemory {
  /** Replaced when the memory grows, so never keep it. */
  readonly buffer: ArrayBuffer;
}

export type WasmImports = Record<string, (...words: never[]) => unknown>;

interface WasmApi {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ readonly exports: object }>;
  /** An exception type shared with the module. */
  readonly Tag: new (type: {
    readonly parameters: readonly string[];
  }) => object;
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
