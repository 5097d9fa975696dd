/** The part of WebAssembly's interface that the sandbox uses; Node's types leave it to the DOM types. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, unknown>>
  class Module {
    private readonly brand: undefined
  }
  class Instance {
    readonly exports: Record<string, unknown>
  }
  class Memory {
    constructor(descriptor: { readonly initial: number })
    readonly buffer: ArrayBuffer
    grow: (pages: number) => number
  }
  class RuntimeError extends Error {}
  function compile(bytes: ArrayBuffer): Promise<Module>
  function instantiate(module: Module, imports: Imports): Promise<Instance>
}
