/** Changes that a child must make before it loads the loader. */
const { grow } = WebAssembly.Memory.prototype
/** The loader passes a fraction, but a 64-bit memory requires a BigInt from Node 24 on. */
WebAssembly.Memory.prototype.grow = function (pages) {
  try {
    return Number(grow.call(this, BigInt(Math.trunc(Number(pages)))))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return grow.call(this, Math.trunc(Number(pages)))
  }
}
// The metering compiles the whole ArrayBuffer of a Buffer, so Buffers may not share one.
Buffer.poolSize = 0
