/** What a child must change before it loads the loader. */
const { grow } = WebAssembly.Memory.prototype
/** The loader hands over a fraction; a 64-bit memory takes a BigInt from Node 24 on. */
WebAssembly.Memory.prototype.grow = function (pages) {
  try {
    return Number(grow.call(this, BigInt(Math.trunc(Number(pages)))))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return grow.call(this, Math.trunc(Number(pages)))
  }
}
// The metering compiles the whole buffer behind its bytes.
Buffer.poolSize = 0
